// Builds the prebuilt answers of a snapshot (dataplane/answer). Set-up only: allocates.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/black_hole.h"
#include "matchers/result.h"

namespace steer::build {

class KnownAnswers {
  public:
    explicit KnownAnswers(AnswerStore& store);

    // Records of the asked name; kNoAnswer: they do not fit into a message.
    AnswerRef of_records(std::uint16_t qtype, std::uint16_t qclass,
                         const std::vector<config::KnownRecord>& records);
    // A record of another name than the question's; empty: of the question's.
    struct OwnedRecord {
        std::vector<std::uint8_t> owner;  // wire form
        config::KnownRecord record;
    };
    // kNoAnswer: they do not fit into a message.
    AnswerRef of_sections(std::uint8_t rcode, std::uint16_t qtype,
                          const std::vector<OwnedRecord>& answers,
                          const std::vector<OwnedRecord>& authorities);
    // No record of that type; with an SOA, so that clients cache it for `ttl_s` (RFC 2308).
    AnswerRef negative(std::uint8_t rcode, std::uint32_t ttl_s);
    // No record, and truncated: the client asks over TCP.
    AnswerRef truncated();
    // The same answer, but not cacheable.
    AnswerRef unkept(AnswerRef answer);
    // Only a response code.
    AnswerRef empty(std::uint8_t rcode);

    BlackHole black_hole(const config::BlackHole& settings);
    // Of A or AAAA; kNoAnswer: no address of this family.
    AnswerRef of_addresses(bool v6, const std::vector<IpAddress>& addresses, std::uint32_t ttl_s);

  private:
    // From a complete response about the root; kNoAnswer: it is longer than a message may be.
    AnswerRef of_response(const std::vector<std::uint8_t>& response, std::uint16_t qtype,
                          std::uint16_t qclass);

    AnswerStore& store_;
    std::vector<std::uint8_t> block_;                       // the answer being built
    std::map<std::vector<std::uint8_t>, AnswerRef> known_;  // equal answers are stored once
};

}  // namespace steer::build
