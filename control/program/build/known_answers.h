// Builds the prebuilt answers of a snapshot (dataplane/answer). Set-up only: allocates.
#pragma once

#include <cstdint>
#include <map>
#include <span>
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

    // Records of the asked name. kNoAnswer: they do not fit into a message.
    AnswerRef of_records(std::uint16_t qtype, std::uint16_t qclass,
                         const std::vector<config::KnownRecord>& records);
    // A record with an owner.
    struct OwnedRecord {
        std::vector<std::uint8_t> owner;  // wire form; empty: the question's name
        config::KnownRecord record;
    };
    // An answer from a zone: with AA (RFC 1035 4.1.1), and not cacheable. kNoAnswer: it does not
    // fit into a message.
    AnswerRef of_sections(std::uint8_t rcode, std::uint16_t qtype,
                          const std::vector<OwnedRecord>& answers,
                          const std::vector<OwnedRecord>& authorities);
    // An answer without a record of that type. Its SOA lets clients cache it for `ttl_s` (RFC
    // 2308).
    AnswerRef negative(std::uint8_t rcode, std::uint32_t ttl_s);
    // An answer without records, and truncated, so that the client repeats the query over TCP.
    AnswerRef truncated();
    // The same answer, but not cacheable.
    AnswerRef unkept(AnswerRef answer);
    // The same answer with AA: of data that this server has (RFC 1035 4.1.1).
    AnswerRef authoritative(AnswerRef answer);
    // As negative(), with AA and the SOA of an empty zone, which the name is or is below (RFC 6303
    // 3). `zone`: wire form.
    AnswerRef negative_of(std::span<const std::uint8_t> zone, std::uint8_t rcode,
                          std::uint32_t ttl_s);
    // That SOA, as the answer to a question for it.
    AnswerRef soa_of(std::span<const std::uint8_t> zone, std::uint32_t ttl_s);
    // Only a response code.
    AnswerRef empty(std::uint8_t rcode);

    BlackHole black_hole(const config::BlackHole& settings);
    // An answer to A or AAAA. kNoAnswer: there is no address of this family.
    AnswerRef of_addresses(bool v6, const std::vector<IpAddress>& addresses, std::uint32_t ttl_s);

  private:
    // Makes block_ of a complete response for the root. False: it is longer than a message may be.
    bool build(const std::vector<std::uint8_t>& response, std::uint16_t qtype,
               std::uint16_t qclass);
    // Stores the answer in block_.
    AnswerRef keep();
    // From a complete response for the root. kNoAnswer: it is longer than a message may be.
    AnswerRef of_response(const std::vector<std::uint8_t>& response, std::uint16_t qtype,
                          std::uint16_t qclass);
    // A copy whose head change() changed.
    AnswerRef changed(AnswerRef answer, void (*change)(dns::Answer& head));

    AnswerStore& store_;
    std::vector<std::uint8_t> block_;                       // the answer being built
    std::map<std::vector<std::uint8_t>, AnswerRef> known_;  // equal answers are stored once
};

}  // namespace steer::build
