// The station's few sounds, made of oscillators: a rising pair for good, two low buzzes for bad, three notes for the batch's
// end. Told apart by rhythm and pitch, not by loudness, and audible over a factory's hum. Nothing sounds before the first
// press, since browsers let no page make noise by itself.

export type SoundName = 'good' | 'bad' | 'ended' | 'taken' | 'refused'

type Note = Readonly<{ hertz: number; fromSeconds: number; seconds: number; wave: OscillatorType }>

const notes: Readonly<Record<SoundName, readonly Note[]>> = {
  good: [{ hertz: 660, fromSeconds: 0, seconds: 0.12, wave: 'triangle' }, { hertz: 990, fromSeconds: 0.13, seconds: 0.22, wave: 'triangle' }],
  bad: [{ hertz: 175, fromSeconds: 0, seconds: 0.28, wave: 'square' }, { hertz: 175, fromSeconds: 0.38, seconds: 0.28, wave: 'square' }],
  ended: [{ hertz: 523, fromSeconds: 0, seconds: 0.16, wave: 'triangle' }, { hertz: 659, fromSeconds: 0.17, seconds: 0.16, wave: 'triangle' }, { hertz: 784, fromSeconds: 0.34, seconds: 0.36, wave: 'triangle' }],
  taken: [{ hertz: 880, fromSeconds: 0, seconds: 0.07, wave: 'sine' }],
  refused: [{ hertz: 220, fromSeconds: 0, seconds: 0.16, wave: 'square' }],
}
const loudness = 0.25

let context: AudioContext | null = null

/** Plays it now; a machine without a sound card stays silent. */
export function play(name: SoundName): void {
  try {
    context ??= new AudioContext()
    if (context.state === 'suspended') void context.resume()
    for (const note of notes[name]) sound(context, note)
  } catch {
    // No sound device: the tiles say the same.
    return
  }
}

function sound(on: AudioContext, { hertz, fromSeconds, seconds, wave }: Note): void {
  const from = on.currentTime + fromSeconds
  const gain = on.createGain()
  // Ramps instead of steps, which would click.
  gain.gain.setValueAtTime(0, from)
  gain.gain.linearRampToValueAtTime(loudness, from + 0.01)
  gain.gain.setValueAtTime(loudness, from + seconds - 0.03)
  gain.gain.linearRampToValueAtTime(0, from + seconds)
  const tone = on.createOscillator()
  tone.type = wave
  tone.frequency.value = hertz
  tone.connect(gain).connect(on.destination)
  tone.start(from)
  tone.stop(from + seconds)
}
