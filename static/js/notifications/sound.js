/** Two soft tones. A browser plays them once somebody has pressed something on the page. */
const TONES = [659, 880];
const LENGTH = 0.16;
let context = null;

export async function ring() {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") return;
    TONES.forEach((pitch, place) => play(pitch, context.currentTime + place * LENGTH));
  } catch {
    // Without sound it is still seen.
  }
}

function play(pitch, at) {
  const [tone, loudness] = [context.createOscillator(), context.createGain()];
  tone.frequency.value = pitch;
  loudness.gain.setValueAtTime(0.0001, at);
  loudness.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + LENGTH * 2);
  tone.connect(loudness).connect(context.destination);
  tone.start(at);
  tone.stop(at + LENGTH * 2);
}

for (const press of ["pointerdown", "keydown"]) addEventListener(press, () => context?.resume(), { passive: true });
