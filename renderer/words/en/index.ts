// Every text of the window, in English, one file a view. A test finds keys that are missing or unused. Sentences the
// station says itself (failures, log entries, steps) come from the station and are not here.
import { auditor } from './auditor.ts'
import { boards } from './boards.ts'
import { catalogue } from './catalogue.ts'
import { console, profiles } from './console.ts'
import { desk } from './desk.ts'
import { figures, recall } from './figures.ts'
import { bayMap, firstBoard, guide } from './fixture.ts'
import { app, startFailure } from './frame.ts'
import { factoryApi, hooks } from './hooks.ts'
import { images } from './images.ts'
import { keys, tokens, policy } from './keys.ts'
import { label } from './label.ts'
import { look, phase, mode, line, board } from './line.ts'
import { log } from './log.ts'
import { operator } from './operator.ts'
import { receipts } from './receipts.ts'
import { recipes } from './recipes.ts'
import { people, signIn } from './people.ts'
import { settings } from './settings.ts'
import { notices, updates } from './updates.ts'

export const en = { app, startFailure, look, phase, mode, line, board, desk, images, keys, tokens, policy, boards, log, auditor, figures, recall, label, operator, bayMap, firstBoard, guide, receipts, people, signIn, settings, updates, notices, hooks, factoryApi, recipes, catalogue, console, profiles } as const
