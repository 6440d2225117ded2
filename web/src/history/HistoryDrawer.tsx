export default function HistoryDrawer(_: { onClose(): void }) {
  return null
}
