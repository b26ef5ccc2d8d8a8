// 故障目录的文字；各条目的内容由工作站自己给出。
export const catalogue = {
  title: '故障',
  filter: '按文字、类型或代码查找',
  list: '全部故障',
  loading: '正在加载…',
  none: '没有包含这些文字的条目。',
  ofRuns: '作业为何失败',
  group: {
    smp: '各组通用代码（MGMT_ERR）',
    os: 'OS 组代码',
    image: '镜像组代码（IMG_ERR）',
    statistics: '统计组代码',
    settings: '设置组代码',
    files: '文件组代码',
    shell: 'Shell 组代码',
  },
  code: '代码 {code}',
  cause: '原因',
  evidence: '依据',
  next: '下一步',
} as const
