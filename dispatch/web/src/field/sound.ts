/** A recording under way. */
export interface Recording {
  /** Resolves when the last piece has been heard. */
  stop(): Promise<void>;
}

export interface Listener {
  /** The next piece: behind those before it, it makes one file of this type. */
  piece(sound: Blob, type: string): void;
  /** Nothing more comes: it was stopped, or the microphone was taken away. */
  ended(): void;
}

const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus'];
const PIECES = 1_000;

/** Begin to record; throws what the browser throws when the microphone is not allowed. */
export async function record(listener: Listener): Promise<Recording> {
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(sound, mimeType ? { mimeType } : {});
  // The system may stop a page that is not seen: what was said until then is kept before.
  const hidden = (): void => {
    if (document.hidden && recorder.state === 'recording') recorder.requestData();
  };
  document.addEventListener('visibilitychange', hidden);
  recorder.ondataavailable = ({ data }) => {
    if (data.size > 0) listener.piece(data, recorder.mimeType.split(';')[0] ?? '');
  };
  const over = new Promise<void>((resolve) => {
    recorder.onstop = () => {
      document.removeEventListener('visibilitychange', hidden);
      for (const track of sound.getTracks()) track.stop();
      listener.ended();
      resolve();
    };
  });
  recorder.start(PIECES);
  return {
    stop: () => {
      if (recorder.state !== 'inactive') recorder.stop();
      return over;
    },
  };
}
