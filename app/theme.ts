export const themes = { system: 'System', light: 'Light', dark: 'Dark' } as const
export type Theme = keyof typeof themes
export const themeNames = Object.keys(themes) as Theme[]

const name = 'veritas_theme'

export function isTheme(value: unknown): value is Theme {
  return typeof value === 'string' && Object.hasOwn(themes, value)
}

export function themeOf(cookies: string | null): Theme {
  const match = new RegExp(`(?:^|;\\s*)${name}=(\\w+)`).exec(cookies ?? '')
  return isTheme(match?.[1]) ? match[1] : 'system'
}

/** A cookie that lasts a year. Not HttpOnly: it holds nothing secret or personal. */
export function themeCookie(theme: Theme): string {
  return `${name}=${theme}; Path=/; Max-Age=31536000; SameSite=Lax`
}
