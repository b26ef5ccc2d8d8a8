// The signing desk's form and its rules. The rules here only help the typist; the station checks everything again and
// its sentence wins.
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { FailureView, FileView, SignedView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { useKeys } from './keys.ts'

export type CounterChoice = 'none' | 'auto' | 'number'
export type Align = 1 | 2 | 4 | 8 | 16 | 32

type Form = {
  key: string | null
  passphrase: string
  version: string
  /** Sizes as typed, decimal or 0x…. */
  header: string
  slot: string
  padHeader: boolean
  align: Align
  pad: boolean
  confirm: boolean
  counter: CounterChoice
  counterValue: string
}

/** MCUboot's version field: major and minor 8 bits, revision 16, build 32 (image.h, struct image_version). */
export function versionHolds(text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\+(\d{1,10}))?$/.exec(text)
  if (match === null) return false
  const [major, minor, revision, build] = [match[1], match[2], match[3], match[4] ?? '0'].map(Number) as [number, number, number, number]
  return major <= 255 && minor <= 255 && revision <= 0xffff && build <= 0xffff_ffff
}

/** A whole number typed in decimal or as 0x…; null when it is not one or out of bounds. */
export function numberOf(text: string, min: number, max: number): number | null {
  const tidy = text.trim()
  if (!/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(tidy)) return null
  const value = Number(tidy)
  return value >= min && value <= max ? value : null
}

export const headerBounds = { min: 32, max: 0x10000 } as const
export const slotBounds = { min: 1, max: 0x1000_0000 } as const
export const counterBounds = { min: 0, max: 0xffff_ffff } as const

export const useDesk = defineStore('desk', () => {
  const keys = useKeys()
  const firmware = shallowRef<FileView | null>(null)
  const signed = shallowRef<SignedView | null>(null)
  const failure = shallowRef<FailureView | null>(null)
  const notSaved = ref(false)
  const busy = ref<'choose' | 'sign' | null>(null)
  const form = reactive<Form>({
    key: null, passphrase: '', version: '', header: '0x200', padHeader: true, slot: '0x69000', align: 4, pad: false, confirm: false, counter: 'none', counterValue: '',
  })

  const key = computed(() => keys.usable.find((row) => row.name === form.key) ?? null)
  const headerBytes = computed(() => numberOf(form.header, headerBounds.min, headerBounds.max))
  const slotBytes = computed(() => numberOf(form.slot, slotBounds.min, slotBounds.max))
  const counterHolds = computed(() => form.counter !== 'number' || numberOf(form.counterValue, counterBounds.min, counterBounds.max) !== null)

  /** Keys of the words for what is still needed before signing. */
  const missing = computed(() => {
    const list: string[] = []
    if (firmware.value === null || firmware.value.problem !== null || firmware.value.image !== null) list.push('needFirmware')
    if (key.value === null) list.push('needKey')
    else if (key.value.encrypted && form.passphrase === '') list.push('needPassphrase')
    if (!versionHolds(form.version)) list.push('needVersion')
    if (headerBytes.value === null || slotBytes.value === null || !counterHolds.value) list.push('needNumbers')
    return list
  })

  async function choose(): Promise<void> {
    busy.value = 'choose'
    const reply = await ask('chooseFile', { purpose: 'firmware' })
    busy.value = null
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok || reply.value === null) return
    firmware.value = reply.value
    signed.value = null
    notSaved.value = false
  }

  async function sign(): Promise<void> {
    if (missing.value.length > 0 || firmware.value === null || key.value === null || headerBytes.value === null || slotBytes.value === null) return
    busy.value = 'sign'
    failure.value = null
    notSaved.value = false
    const reply = await ask('sign', {
      file: firmware.value.file, key: key.value.name, passphrase: key.value.encrypted ? form.passphrase : null, saveAs: null,
      options: {
        version: form.version, headerBytes: headerBytes.value, padHeader: form.padHeader, slotBytes: slotBytes.value, align: form.align,
        pad: form.pad, confirm: form.pad && form.confirm,
        securityCounter: form.counter === 'none' ? null : form.counter === 'auto' ? 'auto' : numberOf(form.counterValue, counterBounds.min, counterBounds.max),
      },
    })
    busy.value = null
    // The passphrase leaves the form whatever the answer was; a wrong one is typed again.
    form.passphrase = ''
    if (!reply.ok) failure.value = reply.failure
    else if (reply.value === null) notSaved.value = true
    else signed.value = reply.value
  }

  function another(): void {
    firmware.value = null
    signed.value = null
    failure.value = null
  }

  return { firmware, signed, failure, notSaved, busy, form, key, headerBytes, slotBytes, counterHolds, missing, choose, sign, another }
})
