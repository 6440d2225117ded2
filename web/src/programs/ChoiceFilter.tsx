import { Combobox, TextInput, useCombobox, type TextInputProps } from '@mantine/core'
import { forwardRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { number } from '../i18n/format'
import { useChosen } from './chosen'
import classes from './ChoiceFilter.module.css'

export interface Option {
  value: string
  label: string
  /** Under the label. */
  note?: string
  /** How many programs it would leave; null while that is not known. */
  count: number | null
}

interface Props {
  label: string
  /** The first option, which is no filter. */
  all: { label: string; count: number | null }
  value: string | null
  options: Option[]
  onChange(value: string | null): void
  /** Makes it searchable: which options fit a text. */
  find?(text: string): Option[]
  onOpen?(): void
}

const ALL = '*'
/** More than these are a matter of searching, not of scrolling. */
const SHOWN = 200

/** A filter of which one value is chosen; each says what it would leave. */
export function ChoiceFilter({ label, all, value, options, onChange, find, onOpen }: Props) {
  const { t } = useTranslation('programs')
  const [text, setText] = useState('')
  const [combobox, list] = useChosen(
    useCombobox({
      onDropdownOpen: () => {
        onOpen?.()
        // The option that is chosen is there only after the list is drawn. Not with the
        // library's updateSelectedOptionIndex, which is later than what is typed meanwhile.
        requestAnimationFrame(() => combobox.selectActiveOption())
      },
      onDropdownClose: () => {
        combobox.resetSelectedOption()
        setText('')
      },
    }),
  )
  const open = combobox.dropdownOpened
  const searching = find !== undefined && open
  const found = searching && text !== '' ? find(text) : options
  const chosen = options.find((option) => option.value === value)
  const shown = value === null ? all.label : (chosen?.label ?? value)

  const choose = (option: string) => {
    onChange(option === ALL ? null : option.slice(1))
    combobox.closeDropdown()
  }

  return (
    <Combobox store={combobox} onOptionSubmit={choose} position="bottom-start" width="target">
      <Combobox.Target targetType={find === undefined ? 'button' : 'input'}>
        <Field
          expanded={open}
          className={classes.filter}
          classNames={{ input: classes.input }}
          label={label}
          size="sm"
          aria-autocomplete={find === undefined ? 'none' : 'list'}
          readOnly={find === undefined}
          data-chosen={value !== null || undefined}
          dir="auto"
          spellCheck={false}
          value={searching ? text : shown}
          placeholder={searching ? shown : undefined}
          rightSection={<Combobox.Chevron />}
          rightSectionPointerEvents="none"
          onClick={() => (find === undefined ? combobox.toggleDropdown() : combobox.openDropdown())}
          onBlur={() => combobox.closeDropdown()}
          onChange={(event) => {
            setText(event.currentTarget.value)
            combobox.openDropdown()
            const input = event.currentTarget
            // The first that fits, not the one for all. The library says which one it is
            // only for arrow keys; the one before may be gone.
            requestAnimationFrame(() => {
              combobox.resetSelectedOption()
              input.setAttribute('aria-activedescendant', combobox.selectOption(1) ?? '')
            })
          }}
        />
      </Combobox.Target>
      <Combobox.Dropdown className={classes.dropdown}>
        <Combobox.Options ref={list} className={classes.options} aria-label={label}>
          <Choice value={ALL} label={all.label} count={all.count} active={value === null} />
          {firstOf(found, value).map((option) => (
            <Choice
              key={option.value}
              {...option}
              value={`=${option.value}`}
              active={option.value === value}
            />
          ))}
          {found.length === 0 && <Combobox.Empty>{t('nothingFound')}</Combobox.Empty>}
        </Combobox.Options>
        {found.length > SHOWN && (
          <Combobox.Footer className={classes.footer}>
            {t('moreToFind', { count: found.length - SHOWN, n: number(found.length - SHOWN) })}
          </Combobox.Footer>
        )}
      </Combobox.Dropdown>
    </Combobox>
  )
}

/** As many as are shown; the chosen one is among them. */
function firstOf(options: Option[], chosen: string | null): Option[] {
  const shown = options.slice(0, SHOWN)
  const beyond = options.slice(SHOWN).find(({ value }) => value === chosen)
  return beyond === undefined ? shown : [beyond, ...shown.slice(0, -1)]
}

interface FieldProps extends TextInputProps {
  expanded: boolean
}

/** Mantine's target takes away what a combobox has to say while it is closed. */
const Field = forwardRef<HTMLInputElement, FieldProps>(({ expanded, ...rest }, ref) => (
  <TextInput {...rest} ref={ref} role="combobox" aria-expanded={expanded} />
))

function Choice({ value, label, note, count, active }: Option & { active: boolean }) {
  const { t } = useTranslation('programs')
  return (
    <Combobox.Option
      value={value}
      active={active}
      selected={active}
      aria-selected={active}
      className={classes.option}
    >
      <span className={classes.words}>
        <bdi className={classes.label}>{label}</bdi>
        {note !== undefined && <span className={classes.note}>{note}</span>}
      </span>
      {count !== null && (
        <>
          <span aria-hidden="true" className={classes.count}>
            {number(count)}
          </span>
          <span className="heard">{t('programs', { count, n: number(count) })}</span>
        </>
      )}
    </Combobox.Option>
  )
}
