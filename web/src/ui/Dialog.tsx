import { Drawer, Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import classes from './Dialog.module.css'
import { useFocusBack } from './focus'

/*
 * What lies over a page, drawn only while it is open. Its header is a part of it, not
 * the page's, so that it has no role.
 */

interface Props {
  title: string
  onClose(): void
  children: ReactNode
}

interface SideProps extends Props {
  size?: string
  closeOnEscape?: boolean
}

/** All of one thing, beside the list that it is from. */
export function SideDrawer({ title, onClose, children, size = '34rem', ...rest }: SideProps) {
  const { t } = useTranslation('common')
  useFocusBack()
  return (
    <Drawer.Root opened onClose={onClose} position="right" size={size} {...rest}>
      <Drawer.Overlay />
      <Drawer.Content>
        <Drawer.Header role="none">
          <Drawer.Title className={classes.title}>{title}</Drawer.Title>
          <Drawer.CloseButton aria-label={t('close')} />
        </Drawer.Header>
        <Drawer.Body>{children}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}

interface DialogProps extends Props {
  centered?: boolean
}

/** A form or a question. */
export function Dialog({ title, onClose, children, ...rest }: DialogProps) {
  const { t } = useTranslation('common')
  useFocusBack()
  return (
    <Modal.Root opened onClose={onClose} {...rest}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header role="none">
          <Modal.Title className={classes.title}>{title}</Modal.Title>
          <Modal.CloseButton aria-label={t('close')} />
        </Modal.Header>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
