// Light and dark are the shell's to set (nativeTheme); high contrast is the page's own set of colours, also for a system that
// asks for more contrast.
import type { SettingsView } from '../../main/contract/views.ts'

/** Puts the page into the theme's colours; tokens.css has them. */
export function wear(theme: SettingsView['theme']): void {
  const more = theme === 'system' && matchMedia('(prefers-contrast: more)').matches
  document.documentElement.dataset['theme'] = theme === 'contrast' || more ? 'contrast' : 'usual'
}
