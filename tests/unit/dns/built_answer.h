// Upstreams' responses as the dataplane has them.
#pragma once

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <memory>

#include "dataplane/dns/answer.h"
#include "support/dns_message.h"

namespace steer::test {

// Space for an answer, and the answer in it.
struct alignas(8) AnswerBlock {
    std::array<std::uint8_t, dns::kMaxMessage + 28 * 1024> bytes{};
    [[nodiscard]] const dns::Answer& answer() const {
        return *reinterpret_cast<const dns::Answer*>(bytes.data());
    }
};

// Of a response that is good for this question, with all its records.
inline std::unique_ptr<AnswerBlock> built_answer(const DnsMessage& response, const Bytes& name,
                                                 std::uint16_t qtype) {
    auto block = std::make_unique<AnswerBlock>();
    dns::UpstreamFacts facts;
    BOOST_TEST_REQUIRE(
        (dns::build_answer(response.bytes(), name, qtype, dns::kIn, false, block->bytes, facts,
                           dns::Records::all) == dns::AnswerError::none));
    return block;
}

}  // namespace steer::test
