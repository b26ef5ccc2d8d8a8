// 窗口框架的文字：各视图名称，以及工作站无法打开时显示的页面。
export const app = {
  name: 'Slotwright',
  views: '视图',
  line: '产线',
  recipes: '配方',
  desk: '签名',
  images: '镜像',
  keys: '密钥',
  boards: '板卡',
  failures: '故障',
  log: '日志',
  people: '人员',
  settings: '设置',
  opening: '正在打开工作站…',
  close: '关闭',
  cancel: '取消',
  dismiss: '关闭提示',
  bug: '窗口出错：{what}。板卡和日志不受影响。请按 Ctrl+R 重新加载。',
} as const

export const startFailure = {
  title: '工作站无法打开',
  thenAgain: '排除问题后再重试；在此之前窗口会保持打开。',
  again: '重试',
  trying: '正在重试…',
  kind: '类型',
} as const
