// Does a host answer? Programs that fetch wait for minutes on a network that swallows packets, and repeat; one question of
// our own, with a short patience, comes before them.

/**
 * @param {string} address
 * @param {number} timeoutMs
 * @returns {Promise<{ status: number } | { why: string }>} any answer's status, else why there is none
 */
export async function ask(address, timeoutMs) {
  try {
    const { status } = await fetch(address, { method: 'HEAD', redirect: 'follow', signal: AbortSignal.timeout(timeoutMs) })
    return { status }
  } catch (error) {
    if (error.name === 'TimeoutError') return { why: `no answer in ${timeoutMs / 1000} s` }
    return { why: error.cause?.code ?? error.cause?.message ?? error.message }
  }
}
