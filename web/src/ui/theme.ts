import {
  createTheme,
  Menu,
  Overlay,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core'
import i18next from 'i18next'

// Mantine's own greys and yellows miss 4.5:1 on white; these are picked to meet it
// wherever text is written in them (6 and up in light, 4 and down in dark).
const blue: MantineColorsTuple = [
  '#eef4ff',
  '#dbe6fe',
  '#bfd3fe',
  '#93b4fd',
  '#6a93f8',
  '#3d6ff0',
  '#2456c9',
  '#1d469f',
  '#1b3b80',
  '#182f61',
]
const green: MantineColorsTuple = [
  '#edfbf2',
  '#d5f5e0',
  '#aeeac4',
  '#78d9a0',
  '#43c17a',
  '#1fa45d',
  '#15803d',
  '#13682f',
  '#135329',
  '#0f4423',
]
const red: MantineColorsTuple = [
  '#fef2f2',
  '#fee2e2',
  '#fecaca',
  '#fca5a5',
  '#f87171',
  '#ef4444',
  '#c92a2a',
  '#a61e1e',
  '#861b1b',
  '#661717',
]
const yellow: MantineColorsTuple = [
  '#fffaeb',
  '#fef0c7',
  '#fedf89',
  '#fec84b',
  '#fdb022',
  '#dc8803',
  '#a15c07',
  '#854a0e',
  '#6f3d10',
  '#542c0d',
]
const gray: MantineColorsTuple = [
  '#f7f8fa',
  '#eff1f4',
  '#e3e6eb',
  '#cfd4dc',
  '#98a1b0',
  '#6b7484',
  '#4b5464',
  '#374151',
  '#242b38',
  '#141a24',
]
const dark: MantineColorsTuple = [
  '#e4e7ec',
  '#c3c9d4',
  '#9fa8b8',
  '#8790a1',
  '#39414f',
  '#2f3642',
  '#242a35',
  '#171b23',
  '#12151c',
  '#0c0e13',
]

export const theme = createTheme({
  colors: { blue, green, red, yellow, gray, dark },
  primaryColor: 'blue',
  primaryShade: { light: 6, dark: 6 },
  black: '#141a24',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, monospace",
  fontSizes: {
    xs: '0.75rem',
    sm: '0.8125rem',
    md: '0.875rem',
    lg: '1rem',
    xl: '1.125rem',
  },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '10px', xl: '16px' },
  headings: {
    fontWeight: '620',
    sizes: {
      h1: { fontSize: '1.375rem', lineHeight: '1.3' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    // Its placeholder is a child that a menu may not have.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    // A function, as the words are those of the language when it is shown.
    Notification: {
      defaultProps: () => ({ closeButtonProps: { 'aria-label': i18next.t('close') } }),
    },
    Overlay: Overlay.extend({ defaultProps: { backgroundOpacity: 0.4 } }),
  },
})

/** Beside Mantine's variables a few of ours, so that components name what they mean. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-placeholder': '#6b7484',
    '--page': '#f5f6f8',
    '--surface': '#ffffff',
    '--surface-sunk': '#f7f8fa',
    '--line': '#e3e6eb',
    '--line-strong': '#cfd4dc',
    '--text': '#141a24',
    '--text-soft': '#4b5464',
    '--info': '#2456c9',
    '--info-soft': '#eef4ff',
    '--good': '#15803d',
    '--good-text': '#13682f',
    '--good-soft': '#edfbf2',
    '--bad': '#c92a2a',
    '--bad-text': '#a61e1e',
    '--bad-soft': '#fef2f2',
    '--wait': '#dc8803',
    '--wait-text': '#854a0e',
    '--wait-soft': '#fffaeb',
    '--shade': '0 1px 2px rgb(20 26 36 / 6%)',
  },
  dark: {
    '--mantine-color-error': '#f98080',
    '--mantine-color-placeholder': '#9fa8b8',
    '--page': '#101319',
    '--surface': '#171b23',
    '--surface-sunk': '#1d222c',
    '--line': '#2a303c',
    '--line-strong': '#39414f',
    '--text': '#e4e7ec',
    '--text-soft': '#a7b0bf',
    '--info': '#6a93f8',
    '--info-soft': '#1a2440',
    '--good': '#43c17a',
    '--good-text': '#78d9a0',
    '--good-soft': '#14291d',
    '--bad': '#f87171',
    '--bad-text': '#fca5a5',
    '--bad-soft': '#331a1d',
    '--wait': '#fdb022',
    '--wait-text': '#fdc860',
    '--wait-soft': '#2e2413',
    '--shade': 'none',
  },
})
