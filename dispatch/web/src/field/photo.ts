const LONGEST = 2_560;
const QUALITY = 0.85;

/**
 * A photo as it travels: at most 2,560 pixels long, and made anew, so that nothing of what the
 * camera wrote into it (its number, where it was) goes along. One that this browser cannot read
 * stays as it is; the server makes everything anew, too.
 */
export async function photo(taken: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(taken);
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = new OffscreenCanvas(
      Math.round(picture.width * scale),
      Math.round(picture.height * scale),
    );
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  } catch {
    return taken;
  }
}
