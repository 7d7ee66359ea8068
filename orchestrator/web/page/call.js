// One call: the room as a caller's client sees it, through LiveKit's own client library.

import { DisconnectReason, Room, RoomEvent, Track, setLogLevel } from "./livekit-client.mjs";

setLogLevel("warn");

const TEXTS = ["lk.transcription", "lk.chat"];

export class Call {
  #connected = false;

  // What happens is told to `told`: heard(track), unheard(track), microphone(track), text(reader, identity),
  // playable(yes), status(words), ended(reason).
  constructor(told) {
    this.told = told;
    this.room = new Room();
    const { room } = this;
    room.on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind === Track.Kind.Audio) told.heard(track);
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => {
      if (track.kind === Track.Kind.Audio) told.unheard(track);
    });
    room.on(RoomEvent.AudioPlaybackStatusChanged, () => told.playable(room.canPlaybackAudio));
    room.on(RoomEvent.Reconnecting, () => told.status("The connection was lost; trying to get it back."));
    room.on(RoomEvent.Reconnected, () => told.status(`Connected to room ${room.name} again.`));
    room.on(RoomEvent.Disconnected, (reason) => {
      if (this.#connected) told.ended(DisconnectReason[reason] ?? "");
    });
    for (const topic of TEXTS) {
      room.registerTextStreamHandler(topic, (reader, { identity }) => told.text(reader, this.#name(identity)));
    }
  }

  // Resolves to the room's sid. Rejects with an error in words.
  async connect(url, token) {
    try {
      await this.room.connect(url, token);
    } catch (error) {
      throw new Error(`LiveKit at ${url} cannot be entered: ${error.message}.`);
    }
    this.#connected = true;
    return this.room.getSid();
  }

  // Rejects with the browser's error when the microphone cannot be had.
  async speak() {
    const publication = await this.room.localParticipant.setMicrophoneEnabled(true);
    if (publication?.track) this.told.microphone(publication.track);
  }

  async mute(muted) {
    await this.room.localParticipant.setMicrophoneEnabled(!muted);
  }

  async hear() {
    await this.room.startAudio();
  }

  async end() {
    this.#connected = false; // nobody needs to be told
    await this.room.disconnect();
  }

  #name(identity) {
    if (identity === this.room.localParticipant.identity) return "You";
    const participant = this.room.remoteParticipants.get(identity);
    return participant?.attributes["lk.agent_name"] || participant?.attributes["lk.agent.name"] || participant?.name || identity;
  }
}
