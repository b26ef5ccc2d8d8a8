// Numbers as people type them into a form.

/** A whole number typed in decimal or as 0x…; null when it is not one or out of bounds. */
export function numberOf(text: string, min: number, max: number): number | null {
  const tidy = text.trim()
  if (!/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(tidy)) return null
  const value = Number(tidy)
  return value >= min && value <= max ? value : null
}
