// What the examples in the comments of the types take for granted.

declare const apiKey: string;
declare const baseURL: string;
declare const token: string;
declare const client: import('rollcall').PresenceClient;
declare const channel: import('rollcall').Channel;
declare const watch: import('rollcall').PresenceWatch;
declare const fake: import('rollcall/testing').FakePresence;

declare const Team: () => null;
declare const Person: (props: { id: string }) => null;

declare const App: import('vue').Component;
declare const createApp: typeof import('vue').createApp;
declare const computed: typeof import('vue').computed;
declare function defineProps<T>(): T;

declare function $props(): { id: string };
declare function $derived<T>(value: T): T;

declare module '@testing-library/react' {
  export function render(element: import('react').ReactElement): void;
  export function act(work: () => void): void;
  export const screen: { findByText(text: string): Promise<unknown>; getByText(text: string): unknown };
}

declare module '*?url' {
  const url: string;
  export default url;
}
