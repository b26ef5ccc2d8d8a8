// `tour`: the main job from nothing, on practice boards, in this terminal. It is what `npm start` runs where there is no
// display, so it explains itself; the boards, the image, the serial ports and the log are as real as in a window.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import { installedHere } from '../../station/installation.ts'
import type { Act } from '../call.ts'
import { waitForBays } from '../bays.ts'
import { wholeNumber } from '../numbers.ts'
import { withStation } from '../station-call.ts'
import { runBatch } from './provision.ts'

type TourFlags = Readonly<{ boards: number; baud: number; faults: string; seed: number }>

const boardsMax = 128
const readySecondsMax = 30

export function declare(command: Command, act: Act): void {
  command
    .option('--boards <n>', 'how many practice boards', wholeNumber(1, boardsMax), 8)
    .option('--baud <rate>', 'line rate of each', wholeNumber(1200, 10_000_000), 460_800)
    .option('--faults <list>', 'what shall go wrong, like 3:fails-proof,5:unplug@40%', '')
    .option('--seed <n>', 'seed of everything random on the boards', wholeNumber(0, 0xffff_ffff), 1)
    .action(act<TourFlags>((call, _args, flags) => withStation(call, { ports: [], keys: [] }, async (station) => {
      call.tell(`Starting ${flags.boards} practice boards, each behind a serial port of its own …\n`)
      const line = await station.startPractice({ boards: flags.boards, baud: flags.baud, faults: flags.faults, seed: flags.seed, fresh: true })
      if (failed(line)) return line
      const bays = await waitForBays(call, station, { boards: flags.boards, waitSeconds: readySecondsMax, ports: line.folder })
      if (failed(bays)) return bays
      const sample = await station.sampleFile({})
      if (failed(sample)) return sample
      call.tell(`Bringing ${sample.name} ${sample.image?.version ?? ''} onto them: upload, test boot, proof, confirm.\n\n`)
      const answer = await runBatch(call, station, { file: sample.file, recipe: {}, bays })
      if (failed(answer) || answer.words === undefined) return answer
      const more = `\nEvery step is in the log: slotwright log list, slotwright log verify. The window shows the same line: ${installedHere() === null ? 'npm start' : 'slotwright-station'} on a display.`
      return { ...answer, words: `${answer.words}\n${more}` }
    })))
}
