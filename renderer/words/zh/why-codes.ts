// 板卡应答的每个代码背后的原因、依据和下一步，按“组-代码”排列。
const fine = '没有任何问题。'
const answer = '应答本身。'
const nothing = '无需处理。'
const unnamed = '固件遇到了一个没有专门代码的错误。'
const boot = '控制台上板卡的启动输出和日志。'
const ownLog = '请查看板卡自身的日志。'
const again = '请重启板卡后重试。'
const asked = '作业历史：被拒绝之前的最后一步，就是向板卡发出的请求。'
const slots = '板卡的镜像列表（“板卡”视图，“查询”）：各 slot 中有什么，哪个待切换，哪个已确认。'
const facts = '镜像本身的信息（“镜像”视图）：头部、大小、哈希和签名区。'
const resign = '请重新签名固件，并确认它是为此板卡制作的。'
const address = '板卡的日志会给出 flash 地址；同一批次的其他板卡能接收同一镜像。'
const worn = '请再试一次；若仍如此，请将板卡放到一旁，其 flash 可能已磨损。'
const restart = '请重新开始上传。'
const line = '请重试；若仍如此，请检查线缆和波特率。'
const recipe = '配方中的自检和设备数据，与固件在控制台上的应答对照。'
const offers = '请对照此固件所提供的功能检查配方。'

export const codes = {
  // 各组通用
  'smp-0': { cause: '没有任何问题：有些固件会在每个成功的应答中附上此代码。', evidence: answer, next: nothing },
  'smp-1': { cause: '固件遇到了一个没有专门代码的错误，通常来自底层驱动。', evidence: boot, next: ownLog },
  'smp-2': { cause: '固件的堆或网络缓冲池已用尽，例如被尚未完成的请求占用。', evidence: `${boot}如果固件提供，还可查看板卡的内存池。`, next: again },
  'smp-3': { cause: '请求中的某个值超出此固件允许的范围。串口恢复模式下的 bootloader 对几乎所有错误都这样应答。', evidence: asked, next: '请确认镜像和配方与此板卡相配。' },
  'smp-4': { cause: '板卡的某个部件（flash 芯片、另一个内核）没有按时响应板卡自身的固件。', evidence: boot, next: again },
  'smp-5': { cause: '所指的内容不存在：某个文件、某个设置项，或空 slot 中的镜像。', evidence: slots, next: '请查询板卡的镜像状态；该 slot 可能是空的。' },
  'smp-6': { cause: '板卡此刻无法执行：有镜像待切换或在试运行，所以其 slot 不能写入或擦除。', evidence: slots, next: '请先确认或回滚试运行的镜像，然后重试。' },
  'smp-7': { cause: '请求或其应答超出了板卡某个缓冲区的长度。', evidence: '板卡报告的缓冲区大小（“板卡”视图，“查询”），与板卡配置中的值对照。', next: '请在板卡配置中改用较短的消息。' },
  'smp-8': { cause: '构建固件时没有包含此命令，或没有包含它所在的整个组。', evidence: '固件的配置（CONFIG_MCUMGR_GRP_…）；同组的其他命令应答相同。', next: '请构建带有此命令的固件，或选用不使用此命令的板卡配置。' },
  'smp-9': { cause: '请求到达时已损坏：线路有干扰、波特率不对，或缓冲区溢出。', evidence: '同一工位或同一线缆上的其他失败；波特率不对时，控制台显示乱码。', next: line },
  'smp-10': { cause: '板卡仍在处理其他操作，例如正在为另一个客户端擦除 slot。', evidence: asked, next: '请稍等片刻后重试。' },
  'smp-11': { cause: '固件决定不接受此请求，例如由锁定更新的钩子函数拒绝。', evidence: '固件自身的钩子函数；如果固件输出日志，其中会有说明。', next: '请解锁板卡，或使用允许此命令的固件。' },
  'smp-12': { cause: '板卡只支持比请求更新的协议版本。', evidence: asked, next: '请在板卡配置中选择较新的协议版本。' },
  'smp-13': { cause: '板卡只支持比请求更旧的协议版本。', evidence: asked, next: '请在板卡配置中选择协议版本 0。' },
  'smp-256': { cause: '256 及以上的代码由固件自行定义，只有固件的编写者知道其含义。', evidence: boot, next: '请向固件的编写者询问此代码的含义。' },
  // OS 组
  'os-0': { cause: fine, evidence: answer, next: nothing },
  'os-1': { cause: unnamed, evidence: boot, next: ownLog },
  'os-2': { cause: '应用信息请求的格式中有此固件不认识的字母。', evidence: recipe, next: '请减少所请求的字段。' },
  'os-3': { cause: '此固件无法回答这项 bootloader 信息查询。', evidence: recipe, next: 'Bootloader 或固件不提供此信息；请跳过此项继续。' },
  'os-4': { cause: '板卡的时钟自上电以来从未设置过。', evidence: '控制台上板卡的日期和时间。', next: '请先设置板卡的日期和时间。' },
  'os-5': { cause: '时钟芯片的驱动返回了错误。', evidence: boot, next: '请检查时钟芯片及其电池。' },
  'os-6': { cause: '固件无法根据已有信息给出该查询的答案。', evidence: recipe, next: '请检查配方中的值。' },
  // 镜像组
  'image-0': { cause: fine, evidence: answer, next: nothing },
  'image-1': { cause: `${unnamed}擦除本来就是空的 slot 时也会这样应答。`, evidence: boot, next: ownLog },
  'image-2': { cause: '固件无法读取自身的 flash 布局：分区与 flash 驱动不匹配。', evidence: boot, next: '请检查固件的分区布局。' },
  'image-3': { cause: '所查询的 slot 中没有镜像头部。', evidence: slots, next: '请重新上传镜像。' },
  'image-4': { cause: '有头部，但在头部标明的镜像末尾处没有签名区：上传没有完成，或文件被截断。', evidence: `${facts}${slots}`, next: resign },
  'image-5': { cause: '签名区中有一项超出了签名区的末尾。', evidence: facts, next: resign },
  'image-6': { cause: '签名区中有多个哈希，无法判断以哪个为准。', evidence: facts, next: resign },
  'image-7': { cause: '签名区中有一项的大小与其类型不符；镜像往往是按另一种哈希制作的。', evidence: facts, next: resign },
  'image-8': { cause: '没有 slot 含有所指哈希的镜像：上传没有完成，或该 slot 又被改写。', evidence: slots, next: '请重新上传镜像，然后检查 slot。' },
  'image-9': { cause: '所有可写入的 slot 都已占用：有镜像等待试运行，或正在运行的镜像从未确认。', evidence: slots, next: '请确认正在运行的镜像，或重启板卡使其回滚，然后重试。' },
  'image-10': { cause: '无法打开 slot 所在的 flash 区域：固件没有此分区，或其驱动没有启动。', evidence: boot, next: '请确认此板卡有该 slot。' },
  'image-11': { cause: '读取 flash 失败：存储单元已磨损，或外部芯片没有响应。', evidence: address, next: worn },
  'image-12': { cause: '写入 flash 失败：存储单元已磨损、区域受保护，或供电不足以写入。', evidence: address, next: worn },
  'image-13': { cause: '擦除 flash 失败：存储单元已磨损、区域受保护，或供电不足。', evidence: address, next: worn },
  'image-14': { cause: '板卡没有该编号的 slot：板卡配置或压缩包是为镜像更多的板卡制作的。', evidence: slots, next: '请检查板卡配置。' },
  'image-15': { cause: '固件没有足够的内存来保存上传的状态。', evidence: boot, next: again },
  'image-16': { cause: '另一个客户端开始的上传还没有结束。', evidence: '使用同一板卡的其他程序；此工位之前运行过什么。', next: again },
  'image-17': { cause: '收到了后续数据块，却没有第一块：板卡在上传中途重启了。', evidence: `${boot}如果是看门狗或供电不足，会在上传中途看到一次启动。`, next: restart },
  'image-18': { cause: '固件的配置中缺少该 slot 所在的 flash 器件。', evidence: boot, next: '请检查固件的配置。' },
  'image-19': { cause: '固件算出的页超出其 flash：分区的末尾没有按页对齐。', evidence: '固件的分区布局（devicetree）。', next: ownLog },
  'image-20': { cause: '上传的某个数据块没有说明写入位置。', evidence: asked, next: ownLog },
  'image-21': { cause: '上传的第一块没有说明镜像的长度。', evidence: asked, next: ownLog },
  'image-22': { cause: '第一块太短，放不下完整的镜像头部：板卡的缓冲区非常小。', evidence: '板卡报告的缓冲区大小（“板卡”视图，“查询”）。', next: '请选择已签名的 MCUboot 镜像。' },
  'image-23': { cause: '此文件不是 MCUboot 镜像：从未签名，或外面还有另一层封装。', evidence: facts, next: '请选择已签名的 MCUboot 镜像。' },
  'image-24': { cause: '上传所给哈希的长度不被固件接受。', evidence: facts, next: '请确认镜像所用的哈希与构建此 bootloader 时所选的一致。' },
  'image-25': { cause: '镜像绑定的 flash 地址与该 slot 的不同（ROM_FIXED）：镜像用于另一种板卡或另一个 slot。', evidence: facts, next: '请为此板卡的 slot 构建镜像。' },
  'image-26': { cause: '板卡无法读取正在运行的镜像的版本，因此无法与新镜像比较。', evidence: slots, next: ownLog },
  'image-27': { cause: '固件自身拒绝比正在运行的镜像更旧的镜像。', evidence: '两个版本：所选镜像的（“镜像”视图）和正在运行的（“板卡”视图，“查询”）。', next: '请在配方中允许旧版本，或选用更新的镜像。' },
  'image-28': { cause: '已有镜像被标记或在试运行，在此期间不能再标记另一个。', evidence: slots, next: '请重启板卡以完成待进行的切换，然后再次查看。' },
  'image-29': { cause: '固件开头所给的启动地址不在镜像之内：签名时头部大小不对，或链接到了另一地址。', evidence: facts, next: '请检查构建固件时所用的头部大小。' },
  'image-30': { cause: 'Slot 的末尾要留出 bootloader 所需的空间，其余空间放不下此镜像。', evidence: '各 swap 模式留下的空间（“镜像”视图，“Slot 空间”），与 slot 大小（“板卡”视图，“查询”）对照。', next: '请缩小镜像，或选择正确的板卡配置。' },
  'image-31': { cause: '收到的字节多于第一块声明的长度：两个上传同时进行，或文件在此期间被改动。', evidence: asked, next: restart },
  'image-32': { cause: '固件中的钩子函数拒绝了确认，例如因为固件自身的检查没有通过。', evidence: '固件自身的钩子函数及其日志。', next: '请只确认正在运行的镜像。' },
  'image-33': { cause: '要标记为试运行的正是正在运行的镜像：两个 slot 中是同一镜像，或所给的哈希不对。', evidence: slots, next: '无需处理：板卡已在运行此镜像。' },
  'image-34': { cause: '固件无法判断自己从哪个 slot 运行：它与 bootloader 构建时所选的模式不同。', evidence: slots, next: ownLog },
  // 统计组
  'statistics-0': { cause: fine, evidence: answer, next: nothing },
  'statistics-1': { cause: unnamed, evidence: boot, next: ownLog },
  'statistics-2': { cause: '固件没有以该名称注册统计。', evidence: recipe, next: offers },
  'statistics-3': { cause: '在此固件中，该组的某个计数器没有名称（CONFIG_STATS_NAMES 未启用）。', evidence: recipe, next: '请构建带有统计名称的固件（CONFIG_STATS_NAMES）。' },
  'statistics-4': { cause: '某个计数器的大小不受支持，固件无法上报。', evidence: recipe, next: ownLog },
  'statistics-5': { cause: '读取计数器时中途停止，多半是因为应答太长。', evidence: recipe, next: ownLog },
  // 设置组
  'settings-0': { cause: fine, evidence: answer, next: nothing },
  'settings-1': { cause: unnamed, evidence: boot, next: ownLog },
  'settings-2': { cause: '设置项的名称超出了固件构建时规定的长度。', evidence: recipe, next: offers },
  'settings-3': { cause: '不存在该名称的设置项。', evidence: recipe, next: offers },
  'settings-4': { cause: '固件中负责该设置项的部分不提供读取。', evidence: recipe, next: offers },
  'settings-5': { cause: '固件中没有任何部分处理以该名称首段开头的设置项。', evidence: recipe, next: offers },
  'settings-6': { cause: '固件中负责该设置项的部分不提供写入。', evidence: recipe, next: offers },
  'settings-7': { cause: '固件的设置存储后端不提供删除。', evidence: recipe, next: offers },
  'settings-8': { cause: '固件的设置存储后端不提供保存。', evidence: recipe, next: '请构建带有可保存的设置存储后端的固件。' },
  // 文件组
  'files-0': { cause: fine, evidence: answer, next: nothing },
  'files-1': { cause: unnamed, evidence: boot, next: ownLog },
  'files-2': { cause: '其文件系统不接受该路径；路径必须完整，从挂载点开始。', evidence: recipe, next: offers },
  'files-3': { cause: '该路径下没有文件。', evidence: recipe, next: offers },
  'files-4': { cause: '该路径指向一个文件夹。', evidence: recipe, next: offers },
  'files-5': { cause: '文件系统无法打开该文件：没有挂载、已损坏，或打开的文件太多。', evidence: boot, next: worn },
  'files-6': { cause: '在文件中定位失败：文件系统已损坏。', evidence: boot, next: worn },
  'files-7': { cause: '读取文件失败：文件系统已损坏，或 flash 已磨损。', evidence: boot, next: worn },
  'files-8': { cause: '重新写入之前无法截短该文件。', evidence: boot, next: worn },
  'files-9': { cause: '重新写入之前无法删除旧文件。', evidence: boot, next: worn },
  'files-10': { cause: '写入文件失败：多半是文件系统已满。', evidence: boot, next: '其文件系统可能已满或已磨损。' },
  'files-11': { cause: '数据块与前一块不衔接：有一块在线路上丢失了。', evidence: asked, next: line },
  'files-12': { cause: '所请求的数据块的起点超出文件末尾：文件在此期间被改动。', evidence: asked, next: line },
  'files-13': { cause: '构建固件时没有包含所请求的校验和。', evidence: recipe, next: offers },
  'files-14': { cause: '该路径开头处没有挂载文件系统。', evidence: recipe, next: offers },
  'files-15': { cause: '文件系统以只读方式挂载。', evidence: recipe, next: offers },
  'files-16': { cause: '文件为空，没有可计算校验和的内容。', evidence: recipe, next: offers },
  // Shell 组
  'shell-0': { cause: fine, evidence: answer, next: nothing },
  'shell-1': { cause: unnamed, evidence: boot, next: ownLog },
  'shell-2': { cause: '命令行超出了 shell 的缓冲区（CONFIG_SHELL_CMD_BUFF_SIZE）。', evidence: recipe, next: offers },
  'shell-3': { cause: '命令行解析后没有可执行的内容。', evidence: recipe, next: offers },
} as const
