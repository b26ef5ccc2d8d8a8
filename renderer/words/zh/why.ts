// 每种失败和板卡的每个代码背后的原因、依据和下一步。
import { codes } from './why-codes.ts'
import { runs } from './why-runs.ts'

export const why = { ...runs, ...codes } as const
