// A socket.io server with a room for each user. Whoever posts to it has something told in some rooms.

import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Server } from 'socket.io';

const http = createServer(async (request, response) => {
  const { users, event } = await json(request);
  const parsed = JSON.parse(event);
  for (const user of users) io.to(user).emit('presence', parsed);
  response.end();
});
const io = new Server(http, { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  socket.on('watch', (users, done) => {
    socket.join(users);
    done();
  });
});
http.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${http.address().port}`));
