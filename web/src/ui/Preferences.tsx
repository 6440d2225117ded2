import { ActionIcon, Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { currentLanguage, endonym, languages, setLanguage } from '../i18n'
import { CheckIcon, DeviceIcon, LanguageIcon, MoonIcon, SunIcon } from './icons'

interface Choice<T> {
  value: T
  label: string
  lang?: string
}

interface Props<T> {
  label: string
  icon: ReactNode
  value: T
  choices: Choice<T>[]
  onChoose(value: T): void
}

/** A menu of which one is chosen. */
function ChoiceMenu<T extends string>({ label, icon, value, choices, onChoose }: Props<T>) {
  return (
    <Menu position="bottom-end" width={180} withinPortal={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} title={label}>
          {icon}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map((choice) => (
          <Menu.Item
            key={choice.value}
            aria-current={choice.value === value || undefined}
            lang={choice.lang}
            rightSection={choice.value === value ? <CheckIcon size={16} /> : null}
            onClick={() => onChoose(choice.value)}
          >
            {choice.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

export function LanguageMenu() {
  const { t } = useTranslation()
  return (
    <ChoiceMenu
      label={t('language')}
      icon={<LanguageIcon />}
      value={currentLanguage()}
      choices={languages.map((value) => ({ value, label: endonym[value], lang: value }))}
      onChoose={(language) => void setLanguage(language)}
    />
  )
}

export function SchemeMenu() {
  const { t } = useTranslation()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const icons = { light: <SunIcon />, dark: <MoonIcon />, auto: <DeviceIcon /> }
  return (
    <ChoiceMenu<MantineColorScheme>
      label={t('scheme')}
      icon={icons[colorScheme]}
      value={colorScheme}
      choices={[
        { value: 'auto', label: t('scheme_auto') },
        { value: 'light', label: t('scheme_light') },
        { value: 'dark', label: t('scheme_dark') },
      ]}
      onChoose={setColorScheme}
    />
  )
}
