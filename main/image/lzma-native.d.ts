// The part of lzma-native that we use, as its README and src/util.cpp have it; @types/lzma-native knows none of these constants.
declare module 'lzma-native' {
  type Filter = { id: string; options?: { dictSize: number; lc: number; lp: number; pb: number; mode: number; mf: number; niceLen: number; depth: number } }
  type Coder = {
    on(event: 'data', listener: (part: Uint8Array) => void): Coder
    on(event: 'error' | 'end', listener: () => void): Coder
    end(input: Uint8Array): void
  }
  type Lzma = {
    MODE_NORMAL: number
    MF_BT4: number
    FILTER_LZMA2: string
    FILTER_ARMTHUMB: string
    createStream(coder: 'rawEncoder' | 'rawDecoder', options: { filters: Filter[]; synchronous: boolean }): Coder
  }
  const lzma: Lzma
  // eslint-disable-next-line no-restricted-syntax -- CommonJS: the module is its default export
  export default lzma
}
