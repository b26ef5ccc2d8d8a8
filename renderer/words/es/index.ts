// Todos los textos de la ventana, en español: los grupos de en/index.ts. Las frases que dice la propia estación se
// vuelven a decir aquí a partir de su tipo y sus datos.
import { auditor } from './auditor.ts'
import { boards } from './boards.ts'
import { catalogue } from './catalogue.ts'
import { console, profiles } from './console.ts'
import { desk } from './desk.ts'
import { figures, recall } from './figures.ts'
import { bayMap, firstBoard, guide } from './fixture.ts'
import { app, startFailure } from './frame.ts'
import { images } from './images.ts'
import { keys, tokens, policy } from './keys.ts'
import { label } from './label.ts'
import { look, phase, mode, line, board } from './line.ts'
import { log } from './log.ts'
import { operator } from './operator.ts'
import { practice } from './practice.ts'
import { receipts } from './receipts.ts'
import { recipes } from './recipes.ts'
import { people, signIn } from './people.ts'
import { settings } from './settings.ts'
import { notices, updates } from './updates.ts'

export const es = { app, startFailure, look, phase, mode, line, board, desk, images, keys, tokens, policy, boards, log, auditor, figures, recall, label, operator, bayMap, firstBoard, guide, receipts, people, signIn, settings, updates, notices, recipes, catalogue, console, profiles, practice } as const
