/** A voice note under way. */
export interface Recording {
  /** What was said so far, as one file. */
  stop(): Promise<Blob>;
}

const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus'];
const PIECES = 1_000;

/** Begin to record; throws what the browser throws when the microphone is not allowed. */
export async function record(): Promise<Recording> {
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(sound, mimeType ? { mimeType } : {});
  const pieces: Blob[] = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.start(PIECES);
  return {
    stop: () =>
      new Promise((resolve) => {
        recorder.onstop = () => {
          for (const track of sound.getTracks()) track.stop();
          resolve(new Blob(pieces, { type: recorder.mimeType.split(';')[0] ?? '' }));
        };
        recorder.stop();
      }),
  };
}
