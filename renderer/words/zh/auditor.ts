// 只读日志窗口的文字。
export const auditor = {
  readOnly: '只读',
  bundle: '审计包 {path}',
  database: '{path}，截至 {at}',
  readAgain: '重新读取',
  copying: '正在复制此日志，使原件不被触动：{percent}%。条目现在即可阅读；校验、搜索和统计在复制完成后开始。',
  copyingLeft: '正在复制此日志，使原件不被触动：{percent}%，剩余 {left}。条目现在即可阅读；校验、搜索和统计在复制完成后开始。',
  waits: '日志复制完成后开始：已完成 {percent}%。',
  waitsLeft: '日志复制完成后开始：已完成 {percent}%，剩余 {left}。',
  reading: '正在读取…',
} as const
