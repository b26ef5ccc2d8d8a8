// `practice`: practice boards as a program of their own, each a serial port in a folder, for scripts, for training and for
// any other SMP client. They trust the home's practice key and the keys named here, and run until stopped.
import { Option } from 'commander'
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import type { Failure } from '../../base/failure.ts'
import type { Act, Answer, Call } from '../call.ts'
import { practiceImagesMax } from '../../practice/profiles.ts'
import { stopped } from '../interrupt.ts'
import { wholeNumber } from '../numbers.ts'
import { startLine } from '../practice-line.ts'
import type { PracticeFlags } from '../practice-line.ts'


const boardsMax = 128

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('--dir <dir>', 'folder in which each board has its port (made if missing)')
    .option('--boards <n>', 'how many boards', wholeNumber(1, boardsMax), 8)
    .option('--trust <key>', 'another key whose images and packages the boards take: name, fingerprint or PEM file; or a certificate whose packages they take (may be repeated)', (text: string, before: readonly string[] = []) => [...before, text])
    .option('--seed <n>', 'seed of everything random on the boards', wholeNumber(0, 0xffff_ffff), 1)
    .option('--faults <list>', 'what shall go wrong, like 3:fails-proof,5:unplug@40%,6:hangs,7:power-cut@25', '')
    .option('--baud <rate>', 'line rate of each', wholeNumber(1200, 10_000_000), 460_800)
    .option('--mode <profile>', 'how their bootloader works: swap-move, swap-scratch, swap-offset, overwrite-only, direct-xip, direct-xip-revert, ram-load or single-slot; or the name of a board profile')
    .addOption(new Option('--loader <how>', 'their bootloader takes firmware packages: unwrap (unpacked from the upgrade slot while swapping) or in-place (run from inside the package)').choices(['unwrap', 'in-place']))
    .option('--firmware-key-id <name>', 'with --loader unwrap: AES key that their packages are encrypted with, by the name that packages call it; the home\'s own of that name')
    .option('--firmware-key <file>', 'that key in a file: 16 or 32 bytes, or as many in hex')
    .option('--firmware-passphrase-file <file>', 'file whose first line is the passphrase of the home\'s firmware key (default: asked for)')
    .option('--images <n>', 'how many images each board has, the application and others that it depends on', wholeNumber(1, practiceImagesMax))
    .option('--encrypted <key>', 'private key with which they decrypt images: a file or a key of this home (x25519, ecdsa-p256 or rsa-2048)')
    .addOption(new Option('--encrypt-keylen <bits>', 'bits of the AES key of those images; a bootloader is built for one of them (default: 128)').choices(['128', '256']))
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of --encrypted')
    .option('--security-counter', 'they keep security counters and refuse images below them, or without one')
    .option('--downgrade-prevention', 'their bootloader refuses older versions')
    .option('--usb', 'ports vanish at a reset and come back under another name, as USB boards do')
    .option('--keep', 'go on with the flash an earlier line left in the folder; without it the boards come from the factory')
    .addHelpText('after', '\nThe boards run version 1.0.0 of the practice firmware. Stop them with Ctrl+C; the folder\'s ports go with them.\n\nExample:\n  slotwright practice --boards 8 --dir /tmp/line --faults 3:fails-proof &')
    .action(act<PracticeFlags>(practice))
}

async function practice(call: Call, _args: readonly string[], flags: PracticeFlags): Promise<Answer | Failure> {
  const started = await startLine(call, flags)
  if (failed(started)) return started
  const { line, update } = started
  try {
    const boards = line.boards()
    call.emit({ is: 'ready', folder: flags.dir, boards, baud: flags.baud, update })
    if (!call.json) call.out.words(`${boards.length} practice boards ready in ${flags.dir} (version 1.0.0, ${flags.baud} baud). Ctrl+C stops them.\nVersion 1.1.0 for them: ${update}\n`)
    await stopped(call.signal)
  } finally {
    await line.stop()
  }
  call.emit({ is: 'stopped' })
  return {}
}
