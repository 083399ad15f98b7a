/** Why one may not talk, hear, call or join groups, by the server's codes (docs/wire.md). */

export interface Refusal {
  code: string;
}

interface Said {
  text: string;
  todo: string;
}

export interface RefusalWords {
  by: Readonly<Record<string, Said>>;
  /** Of a server that is newer than this page. */
  other: (code: string) => string;
  otherTodo: string;
}

const en = {
  by: {
    listen_only: {
      text: 'You may only listen in this group.',
      todo: 'Talk in a group of which you are a member.',
    },
    not_joined: {
      text: 'You are not in this group yet.',
      todo: 'Press again in a moment.',
    },
    queue_full: {
      text: 'Too many others wait already.',
      todo: 'Ask again in a moment, or send a message.',
    },
    preempted: {
      text: 'A more urgent call has taken the floor.',
      todo: 'Listen, and ask again when it is over.',
    },
    too_long: {
      text: 'You have talked as long as one may.',
      todo: 'Let others talk, and ask again.',
    },
    silent: {
      text: 'Nothing came from your microphone.',
      todo: 'Look at the microphone and the connection, and ask again.',
    },
    patched: {
      text: 'This group was joined with another, in which somebody talks.',
      todo: 'Listen, and ask again when it is over.',
    },
    not_your_group: {
      text: 'This voice group is over, or not shared with you any more.',
      todo: 'Choose another one, or ask who manages it.',
    },
    too_many_groups: {
      text: 'You hear as many groups as one may.',
      todo: 'Leave one of them first.',
    },
    not_answered: { text: 'Nobody has answered.', todo: 'Call again, or send a message.' },
    declined: { text: 'The call was declined.', todo: 'Send a message.' },
    call_over: {
      text: 'The call is over.',
      todo: 'Call again, if something is left to be said.',
    },
    call_closed: {
      text: 'Who called has ended the call for all.',
      todo: 'Call, if something is left to be said.',
    },
    radio_silent: { text: 'The radio did not answer.', todo: 'Call again, or send a message.' },
    radio_busy: {
      text: 'The radio is in another call.',
      todo: 'Call again later, or send a message.',
    },
    radio_away: {
      text: 'The radio is heard on no site now.',
      todo: 'Send a message: it waits until the radio is heard.',
    },
    radio_unable: {
      text: 'There are no private calls where the radio is.',
      todo: 'Talk in its group, or send a message.',
    },
    voiceless: {
      text: 'The radio cannot be called: the radio bridge has no vocoder.',
      todo: 'Send a message.',
    },
    answered_elsewhere: { text: 'The call was taken at another place.', todo: 'Talk there.' },
    not_reachable: {
      text: 'You cannot call one of them: it does not exist or is not shared with you.',
      todo: 'Call somebody else, or talk in a group.',
    },
    not_there: {
      text: 'Nobody whom you call is connected.',
      todo: 'Send a message: it waits for them.',
    },
    calling_already: {
      text: 'You call somebody already, and nobody has answered.',
      todo: 'Wait for the answer, or leave that call.',
    },
    not_your_call: { text: 'Only who called ends a call for all.', todo: 'Leave it.' },
    hear_both_first: {
      text: 'Only groups that you hear can be joined.',
      todo: 'Listen to both, and join them then.',
    },
    not_yours_to_patch: {
      text: 'You may not join these two groups, or part them.',
      todo: 'Ask a dispatcher who talks in both.',
    },
    patched_already: {
      text: 'One of these groups is joined with another.',
      todo: 'Part those first.',
    },
    not_allowed: { text: 'You may not do that.', todo: 'Ask your administrator.' },
    too_fast: { text: 'That was too much at once.', todo: 'Try again in a moment.' },
    unavailable: { text: 'The server cannot do that now.', todo: 'Try again in a moment.' },
  },
  other: (code: string) => `The server has refused that (${code}).`,
  otherTodo: 'Try again, and tell your administrator if it stays so.',
};

const es: { by: Record<keyof typeof en.by, Said> } & RefusalWords = {
  by: {
    listen_only: {
      text: 'En este grupo solo puede escuchar.',
      todo: 'Hable en un grupo del que sea miembro.',
    },
    not_joined: {
      text: 'Todavía no está en este grupo.',
      todo: 'Pulse de nuevo en un momento.',
    },
    queue_full: {
      text: 'Ya esperan demasiados.',
      todo: 'Pida de nuevo en un momento o envíe un mensaje.',
    },
    preempted: {
      text: 'Una llamada más urgente ha tomado la palabra.',
      todo: 'Escuche y pida de nuevo cuando termine.',
    },
    too_long: {
      text: 'Ha hablado todo el tiempo permitido.',
      todo: 'Deje hablar a los demás y pida de nuevo.',
    },
    silent: {
      text: 'De su micrófono no llegó nada.',
      todo: 'Revise el micrófono y la conexión, y pida de nuevo.',
    },
    patched: {
      text: 'Este grupo se unió con otro en el que alguien habla.',
      todo: 'Escuche y pida de nuevo cuando termine.',
    },
    not_your_group: {
      text: 'Este grupo de voz ha terminado o ya no se comparte con usted.',
      todo: 'Elija otro o pregunte a quien lo administra.',
    },
    too_many_groups: {
      text: 'Ya oye todos los grupos que se permiten.',
      todo: 'Deje antes uno de ellos.',
    },
    not_answered: {
      text: 'Nadie ha contestado.',
      todo: 'Llame de nuevo o envíe un mensaje.',
    },
    declined: { text: 'La llamada fue rechazada.', todo: 'Envíe un mensaje.' },
    call_over: {
      text: 'La llamada ha terminado.',
      todo: 'Llame de nuevo si queda algo por decir.',
    },
    call_closed: {
      text: 'Quien llamó ha terminado la llamada para todos.',
      todo: 'Llame si queda algo por decir.',
    },
    radio_silent: { text: 'El radio no contestó.', todo: 'Llame de nuevo o envíe un mensaje.' },
    radio_busy: {
      text: 'El radio está en otra llamada.',
      todo: 'Llame más tarde o envíe un mensaje.',
    },
    radio_away: {
      text: 'El radio no se oye ahora en ningún sitio.',
      todo: 'Envíe un mensaje: espera hasta que se oiga el radio.',
    },
    radio_unable: {
      text: 'Donde está el radio no hay llamadas privadas.',
      todo: 'Hable en su grupo o envíe un mensaje.',
    },
    voiceless: {
      text: 'No se puede llamar al radio: el puente no tiene vocodificador.',
      todo: 'Envíe un mensaje.',
    },
    answered_elsewhere: {
      text: 'La llamada se contestó en otro lugar.',
      todo: 'Hable allí.',
    },
    not_reachable: {
      text: 'No puede llamar a uno de ellos: no existe o no se comparte con usted.',
      todo: 'Llame a otro o hable en un grupo.',
    },
    not_there: {
      text: 'Nadie de los que llama está conectado.',
      todo: 'Envíe un mensaje: les espera.',
    },
    calling_already: {
      text: 'Ya llama a alguien, y nadie ha contestado.',
      todo: 'Espere la respuesta o deje esa llamada.',
    },
    not_your_call: {
      text: 'Solo quien llamó termina una llamada para todos.',
      todo: 'Déjela.',
    },
    hear_both_first: {
      text: 'Solo se unen grupos que usted oye.',
      todo: 'Escuche ambos y únalos entonces.',
    },
    not_yours_to_patch: {
      text: 'Usted no puede unir estos dos grupos ni separarlos.',
      todo: 'Pídalo a un despachador que hable en ambos.',
    },
    patched_already: {
      text: 'Uno de estos grupos está unido con otro.',
      todo: 'Separe antes aquellos.',
    },
    not_allowed: { text: 'Usted no puede hacer eso.', todo: 'Pregunte a su administrador.' },
    too_fast: {
      text: 'Eso fue demasiado de una vez.',
      todo: 'Intente de nuevo en un momento.',
    },
    unavailable: {
      text: 'El servidor no puede hacer eso ahora.',
      todo: 'Intente de nuevo en un momento.',
    },
  },
  other: (code) => `El servidor lo ha rechazado (${code}).`,
  otherTodo: 'Intente de nuevo y avise a su administrador si sigue así.',
};

export const refusalWords = { en, es };

/** What is told of a refusal, and what to do, in the language of the page. */
export function told({ code }: Refusal, words: RefusalWords): Said {
  return words.by[code] ?? { text: words.other(code), todo: words.otherTodo };
}
