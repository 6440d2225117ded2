import { Button, Modal, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { useSession, useSessionState } from './context'
import { LoginForm } from './LoginForm'

/** Over a page whose login is refused all of a sudden; the page stays as it is. */
export function LoginAgain() {
  const { t } = useTranslation('login')
  const session = useSession()
  const state = useSessionState()
  const open = state.is === 'expired'
  return (
    <Modal.Root
      opened={open}
      onClose={() => {}}
      centered
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header role="none">
          <Modal.Title fz="xl" fw={620}>
            {t('again')}
          </Modal.Title>
        </Modal.Header>
        <Modal.Body>
          {open && (
            <>
              <Text c="dimmed" mb="md">
                {t('againIntro')}
              </Text>
              <LoginForm user={state.user} />
              <Button variant="subtle" fullWidth mt="xs" onClick={() => session.signOut()}>
                {t('other')}
              </Button>
            </>
          )}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
