import { createApp, h, nextTick, shallowRef } from 'vue';
import { presence, useConnection, usePresence, usePresenceList } from 'rollcall/vue';
import { run } from './page.mjs';

const Row = {
  props: ['id'],
  setup(props) {
    const person = usePresence(() => props.id);
    return () => h('li', { 'data-user': person.value.id, 'data-online': person.value.online, 'data-freshness': person.value.freshness });
  },
};

run((client, element) => {
  const ids = shallowRef([]);
  const app = createApp({
    setup() {
      const team = usePresenceList(() => ids.value.filter(Boolean));
      const connection = useConnection();
      const here = () => team.value.filter(({ online }) => online).length;
      return () => [
        h('p', { 'data-connection': connection.value.state, 'data-here': here() }),
        // By place: a component lives on with another id.
        h('ul', ids.value.map((id, at) => h(Row, { id, key: at }))),
      ];
    },
  });
  app.use(presence(client)).mount(element);
  return { show: (list) => ((ids.value = list), nextTick()), unmount: () => app.unmount() };
});
