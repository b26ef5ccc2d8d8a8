// Choosing an image, where the file may be a package under a firmware key that rests encrypted: then its passphrase is asked
// for, over whatever view wanted the file, and that view goes on with the file as it opened, or with its problem.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { FailureView, FileView, Reply } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

export const useUnlocking = defineStore('unlocking', () => {
  /** The package that waits for a passphrase. */
  const file = shallowRef<FileView | null>(null)
  const failure = shallowRef<FailureView | null>(null)
  const busy = ref(false)
  let goOn: ((reply: Reply<FileView | null>) => void) | null = null

  async function chooseImage(): Promise<Reply<FileView | null>> {
    const reply = await ask('chooseFile', { purpose: 'image' })
    if (!reply.ok || reply.value?.problem?.kind !== 'firmware-key-locked') return reply
    leave()
    failure.value = null
    file.value = reply.value
    return new Promise((resolve) => {
      goOn = resolve
    })
  }

  async function unlock(passphrase: string): Promise<void> {
    const asked = file.value
    if (asked === null || busy.value) return
    busy.value = true
    const reply = await ask('unlockPackage', { file: asked.file, passphrase })
    busy.value = false
    if (file.value !== asked) return
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) end(reply.value)
  }

  /** Goes on without: the file keeps its problem. */
  function leave(): void {
    if (file.value !== null) end(file.value)
  }

  function end(value: FileView): void {
    file.value = null
    goOn?.({ ok: true, value })
    goOn = null
  }

  return { file, failure, busy, chooseImage, unlock, leave }
})
