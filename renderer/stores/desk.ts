// The signing desk's form and its rules. The rules here only help the typist; the station checks everything again and
// its sentence wins.
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { DigestView, FailureView, FileView, MeasuredView, Reply, SignedView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { changedOf, moreGiven, moreHolds, untouched, versionHolds, type MoreOptions } from './desk-options.ts'
import { useKeys } from './keys.ts'
import { numberOf } from './numbers.ts'
import { useTokens } from './tokens.ts'

export type CounterChoice = 'none' | 'auto' | 'number'
export type Align = 1 | 2 | 4 | 8 | 16 | 32

type Form = {
  key: string | null
  /** The key file's passphrase, or the PIN of a locked token. */
  passphrase: string
  /** What the firmware is for, where the key's policy asks. */
  product: string
  /** The key is elsewhere: a digest goes out, a signature comes back. */
  outside: boolean
  version: string
  /** Sizes as typed, decimal or 0x…. */
  header: string
  slot: string
  padHeader: boolean
  align: Align
  counter: CounterChoice
  counterValue: string
  /** Erase sector of the flash, for the room in each swap mode. */
  sector: string
}

export { numberOf } from './numbers.ts'
export { versionHolds } from './desk-options.ts'

export const headerBounds = { min: 32, max: 0x10000 } as const
export const slotBounds = { min: 1, max: 0x1000_0000 } as const
export const sectorBounds = { min: 1, max: 0x100_0000 } as const
export const counterBounds = { min: 0, max: 0xffff_ffff } as const

export const useDesk = defineStore('desk', () => {
  const keys = useKeys()
  const tokens = useTokens()
  const firmware = shallowRef<FileView | null>(null)
  const signed = shallowRef<SignedView | null>(null)
  const failure = shallowRef<FailureView | null>(null)
  const notSaved = ref(false)
  const busy = ref<'choose' | 'sign' | null>(null)
  const approved = ref<number | null>(null)
  const publicKey = shallowRef<FileView | null>(null)
  const exported = shallowRef<DigestView | null>(null)
  const form = reactive<Form>({
    key: null, passphrase: '', product: '', outside: false, version: '', header: '0x200', padHeader: true, slot: '0x69000', align: 4, counter: 'none', counterValue: '', sector: '0x1000',
  })

  const more = reactive<MoreOptions>(untouched())
  const changed = computed(() => changedOf(more) + (form.counter === 'none' ? 0 : 1) + (form.padHeader ? 0 : 1) + (form.align === 4 ? 0 : 1))
  const size = shallowRef<MeasuredView | null>(null)
  const sizeFailure = shallowRef<FailureView | null>(null)
  let measuring = 0
  // The header's size was that of the other choice.
  watch(() => more.headerAuto, () => { size.value = null })

  const key = computed(() => keys.usable.find((row) => row.name === form.key) ?? null)
  const headerBytes = computed(() => (more.headerAuto ? 'auto' : numberOf(form.header, headerBounds.min, headerBounds.max)))
  const sectorBytes = computed(() => numberOf(form.sector, sectorBounds.min, sectorBounds.max))
  const slotBytes = computed(() => numberOf(form.slot, slotBounds.min, slotBounds.max))
  const counterHolds = computed(() => form.counter !== 'number' || numberOf(form.counterValue, counterBounds.min, counterBounds.max) !== null)

  /** What must be typed to open the key: its file's passphrase, its token's PIN (here, or on its reader), or nothing. */
  const secret = computed<'passphrase' | 'pin' | 'reader' | null>(() => {
    if (key.value === null) return null
    if (key.value.token === null) return key.value.encrypted ? 'passphrase' : null
    const token = tokens.tokenOf(key.value.token.uri)
    return token?.unlocked === true ? null : token?.pinPad === true ? 'reader' : 'pin'
  })

  /** Keys of the words for what is still needed before signing. */
  const missing = computed(() => {
    const list: string[] = []
    if (firmware.value === null || firmware.value.problem !== null || firmware.value.image !== null) list.push('needFirmware')
    if (form.outside) {
      if (publicKey.value === null) list.push('needPublicKey')
    } else if (key.value === null) list.push('needKey')
    else {
      if (secret.value !== null && secret.value !== 'reader' && form.passphrase === '') list.push(secret.value === 'pin' ? 'needPin' : 'needPassphrase')
      if (key.value.policy.products.length > 0 && !key.value.policy.products.includes(form.product)) list.push('needProduct')
    }
    if (!versionHolds(form.version)) list.push('needVersion')
    if (headerBytes.value === null || slotBytes.value === null || !counterHolds.value || !moreHolds(more)) list.push('needNumbers')
    return list
  })

  async function choose(): Promise<void> {
    busy.value = 'choose'
    const reply = await ask('chooseFile', { purpose: 'firmware' })
    busy.value = null
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok || reply.value === null) return
    firmware.value = reply.value
    forget()
  }

  /** What was said of other firmware or another version holds no more. */
  function forget(): void {
    approved.value = null
    reconsider()
  }

  /** The same for other options, which a second person's word does not depend on. */
  function reconsider(): void {
    signed.value = null
    notSaved.value = false
    exported.value = null
  }

  /** Everything that is folded away, as imgtool has it. */
  function plain(): void {
    Object.assign(more, untouched())
    Object.assign(form, { padHeader: true, align: 4, counter: 'none', counterValue: '' })
  }

  /** The image's options as the contract takes them; null while one of them does not hold. */
  function options(): ArgsOf<'sign'>['options'] | null {
    if (headerBytes.value === null || slotBytes.value === null || !counterHolds.value || !moreHolds(more)) return null
    return {
      version: form.version, headerBytes: headerBytes.value, padHeader: form.padHeader, slotBytes: slotBytes.value, align: form.align, ...moreGiven(more),
      securityCounter: form.counter === 'none' ? null : form.counter === 'auto' ? 'auto' : numberOf(form.counterValue, counterBounds.min, counterBounds.max),
    }
  }

  /** A file for an option: the key to encrypt to, or a TLV's value. */
  async function chooseFor(purpose: 'key' | 'value'): Promise<FileView | null> {
    const reply = await ask('chooseFile', { purpose })
    failure.value = reply.ok ? null : reply.failure
    return reply.ok ? reply.value : null
  }

  /** Sizes of the image as it would be now; the newest question's answer counts. A version still to be typed has the same size. */
  async function measure(): Promise<void> {
    const turn = ++measuring
    const [file, given] = [firmware.value, options()]
    if (file === null || file.problem !== null || file.image !== null || given === null || sectorBytes.value === null) {
      size.value = null
      sizeFailure.value = null
      return
    }
    const reply = await ask('measureFirmware', {
      file: file.file, key: form.outside ? null : key.value?.name ?? null, publicKey: form.outside ? publicKey.value?.file ?? null : null, sectorBytes: sectorBytes.value,
      options: { ...given, version: versionHolds(form.version) ? form.version : '0.0.0' },
    })
    if (turn !== measuring) return
    size.value = reply.ok ? reply.value : null
    sizeFailure.value = reply.ok ? null : reply.failure
  }

  /** One word of the station: what it gave, or null with the failure or the changed mind noted. */
  function taken<T>(reply: Reply<T | null>): T | null {
    if (!reply.ok) failure.value = reply.failure
    else if (reply.value === null) notSaved.value = true
    return reply.ok ? reply.value : null
  }

  async function choosePublicKey(): Promise<void> {
    const reply = await ask('chooseFile', { purpose: 'key' })
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok && reply.value !== null) publicKey.value = reply.value
  }

  /** Saves what the signer elsewhere signs. */
  async function exportDigest(): Promise<void> {
    const [file, outside, given] = [firmware.value, publicKey.value, options()]
    if (missing.value.length > 0 || file === null || outside === null || given === null) return
    begin()
    exported.value = taken(await ask('exportDigest', { file: file.file, publicKey: outside.file, options: given, saveAs: null }))
    busy.value = null
  }

  /** Brings the answer of the signer elsewhere. */
  async function importSignature(): Promise<void> {
    const [file, outside, given] = [firmware.value, publicKey.value, options()]
    if (missing.value.length > 0 || file === null || outside === null || given === null) return
    begin()
    const answer = await ask('chooseFile', { purpose: 'text' })
    if (!answer.ok) failure.value = answer.failure
    else if (answer.value !== null) signed.value = taken(await ask('importSignature', { file: file.file, publicKey: outside.file, signature: answer.value.file, options: given, saveAs: null }))
    busy.value = null
  }

  /** Somebody else's word that the key may sign this; the station asks who is there. */
  async function approve(): Promise<void> {
    if (firmware.value === null || key.value === null || !versionHolds(form.version)) return
    begin()
    const reply = await ask('approveSigning', { file: firmware.value.file, key: key.value.name, version: form.version })
    approved.value = taken(reply)?.entry ?? null
    busy.value = null
  }

  function begin(): void {
    busy.value = 'sign'
    failure.value = null
    notSaved.value = false
  }

  async function sign(): Promise<void> {
    const [file, by, given] = [firmware.value, key.value, options()]
    if (missing.value.length > 0 || form.outside || file === null || by === null || given === null) return
    begin()
    const reply = await ask('sign', {
      file: file.file, key: by.name, passphrase: secret.value === null || form.passphrase === '' ? null : form.passphrase, saveAs: null, options: given,
      product: by.policy.products.length > 0 ? form.product : null,
    })
    busy.value = null
    // The passphrase leaves the form whatever the answer was; a wrong one is typed again.
    form.passphrase = ''
    const made = taken(reply)
    if (made !== null) signed.value = made
    // The PIN may have unlocked the token, or cost a try.
    if (by.token !== null) await tokens.load()
  }

  function another(): void {
    firmware.value = null
    forget()
    failure.value = null
  }

  return { firmware, signed, failure, notSaved, busy, form, more, changed, size, sizeFailure, key, headerBytes, slotBytes, sectorBytes, counterHolds, secret, missing, approved, publicKey, exported, options, choose, forget, reconsider, plain, chooseFor, measure, choosePublicKey, exportDigest, importSignature, approve, sign, another }
})
