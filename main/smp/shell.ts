// Group 9, shell: one command line, its output and its return code
// (docs.zephyrproject.org …/smp_groups/smp_group_9.html; subsys/mgmt/mcumgr/grp/shell_mgmt). Surprise: builds before
// Zephyr 3.3 name the return code `rc`, so a command that fails looks like a request that was refused.
import { has, readBody, takeInteger, takeText } from './body.ts'
import { smpGroup } from './commands.ts'
import type { SmpCommand } from './commands.ts'

const outputCharsMax = 8192

/** Runs a command with its arguments on the board's shell. */
export const shellCommand: SmpCommand<{ argv: readonly string[] }, { output: string; returned: number }> = {
  name: 'shell command',
  group: smpGroup.shell,
  command: 0,
  op: 'write',
  encode: ({ argv }) => ({ argv: [...argv] }),
  decode: (body) => readBody('shell command', () => ({ output: takeText(body, 'o', outputCharsMax, 'several'), returned: has(body, 'ret') ? takeInteger(body, 'ret') : 0 })),
}
