export function SyncPanel() {
  return null
}
