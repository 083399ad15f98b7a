import { codeIn } from './deviceKey';

interface Detector {
  detect(picture: ImageBitmap): Promise<{ rawValue: string }[]>;
}
type Detectors = { BarcodeDetector?: new (options: { formats: string[] }) => Detector };

/** Whether this browser reads QR codes (Chromium on Android does). */
export const canScan = 'BarcodeDetector' in globalThis;

/** The enrolment code in a picture; null when there is none. */
export async function codeInPicture(taken: Blob): Promise<string | null> {
  const { BarcodeDetector } = globalThis as unknown as Detectors;
  if (!BarcodeDetector) return null;
  try {
    const found = await new BarcodeDetector({ formats: ['qr_code'] }).detect(
      await createImageBitmap(taken),
    );
    return found.map(({ rawValue }) => codeIn(rawValue)).find((code) => code !== null) ?? null;
  } catch {
    return null;
  }
}
