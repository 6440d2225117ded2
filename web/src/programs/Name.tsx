import { ActionIcon, TextInput } from '@mantine/core'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'

import type { Program } from '../api/types'
import { CheckIcon, CloseIcon, PencilIcon } from '../ui/icons'
import classes from './Name.module.css'
import { cleanName, NAME_MAX, nameLength } from './rename'
import { useRename } from './useRename'

/** A program by the name that one has given it, which can be changed in its place. */
export function Name({ program }: { program: Program }) {
  const { t } = useTranslation('programs')
  const rename = useRename(program.program_id)
  const [editing, setEditing] = useState(false)
  const pencil = useRef<HTMLButtonElement>(null)
  const back = useRef(false)
  const name = program.custom_name

  useEffect(() => {
    if (editing || !back.current) return
    back.current = false
    pencil.current?.focus()
  }, [editing])

  const close = () => {
    back.current = true
    setEditing(false)
  }

  if (editing) {
    return (
      <NameForm
        name={name}
        onCancel={close}
        onSave={(next) => {
          close()
          if (next !== name) rename.mutate({ before: name, name: next })
        }}
      />
    )
  }
  return (
    <span className={classes.name} data-pending={rename.isPending || undefined}>
      {name === null ? (
        <span className={classes.none}>{t('noName')}</span>
      ) : (
        <bdi className={classes.text} title={name}>
          {name}
        </bdi>
      )}
      <ActionIcon
        ref={pencil}
        className={classes.pencil}
        size="sm"
        variant="subtle"
        color="gray"
        aria-label={t('rename', { name: nameOf(program) })}
        title={t('renameShort')}
        onClick={() => setEditing(true)}
      >
        <PencilIcon size={15} />
      </ActionIcon>
    </span>
  )
}

/** How a program is spoken of: there is always something. */
export function nameOf(program: Program): string {
  return program.custom_name ?? program.business_name ?? program.program_id
}

interface FormProps {
  name: string | null
  onSave(name: string | null): void
  onCancel(): void
}

function NameForm({ name, onSave, onCancel }: FormProps) {
  const { t } = useTranslation('programs')
  const [text, setText] = useState(name ?? '')
  const input = useRef<HTMLInputElement>(null)
  const length = nameLength(text)
  const long = length > NAME_MAX

  useEffect(() => input.current?.select(), [])

  const save = () => {
    if (long) input.current?.focus()
    else onSave(cleanName(text))
  }

  const onKeyDown = (event: KeyboardEvent) => {
    // Enter may end the writing of a letter, too.
    if (event.nativeEvent.isComposing) return
    if (event.key !== 'Enter' && event.key !== 'Escape') return
    event.preventDefault()
    if (event.key === 'Enter') save()
    else onCancel()
  }

  return (
    <span className={classes.form}>
      <TextInput
        ref={input}
        className={classes.input}
        size="xs"
        dir="auto"
        aria-label={t('column_custom_name')}
        placeholder={t('namePlaceholder')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        error={long ? t('nameTooLong', { n: length, max: NAME_MAX }) : null}
        data-autofocus
        // The drawer of the details would close on Escape.
        data-mantine-stop-propagation
      />
      <ActionIcon size="md" variant="filled" aria-label={t('nameSave')} onClick={save}>
        <CheckIcon size={16} />
      </ActionIcon>
      <ActionIcon size="md" variant="default" aria-label={t('nameCancel')} onClick={onCancel}>
        <CloseIcon size={16} />
      </ActionIcon>
    </span>
  )
}
