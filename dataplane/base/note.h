// A note from a worker to control: a log line (query_summary, debug_print), a name to learn
// (learn_domain, which sets only kind, generation, text and qname), or a match of an rpz (which has
// no response). The worker drops and counts a note if the ring is full (Stat::notes_dropped). It
// does so with a match and a learned name if the ring is half full; the name counts as
// Stat::learned_dropped.
#pragma once

#include <array>
#include <cstdint>

#include "matchers/prefix/ip_address.h"

namespace steer {

enum class NoteKind : std::uint8_t { summary, debug, learned, policy };

inline constexpr std::size_t kNoteBytes = 1232;

struct Note {
    NoteKind kind;
    std::uint8_t has_response;
    std::uint8_t rcode;
    std::uint8_t qname_len;
    // Of the snapshot whose texts[text] is the title; learned: learners[text]; policy: rpzs[text].
    std::uint32_t generation;
    std::uint32_t text;
    std::uint32_t elapsed_ms;
    IpAddress client;
    std::uint16_t client_port, qtype, qclass;
    std::uint16_t zone;            // policy: index of the rpz
    std::uint8_t trigger, action;  // policy: Rpz::Trigger, PolicyAction::Does
    std::uint16_t response_bytes;  // debug: the response in the form to send, cut at kNoteBytes
    // In the case that the client sent; learned, policy: in lower case.
    std::array<std::uint8_t, 256> qname;
    std::array<std::uint8_t, kNoteBytes> response;
};
static_assert(sizeof(Note) % 4 == 0);

}  // namespace steer
