// Any bytes as a zone file: what is taken is records that a message can hold, and that are read out of one as they are.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "../require.h"
#include "control/config/text/zone_text.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"

using namespace steer;

namespace {

void check(const config::ZoneRecord& record) {
    REQUIRE(record.line > 0 && record.record.ttl_s <= 0x7fffffff);
    REQUIRE(record.record.rdata.size() <= 65'535);
    const auto name = dns::name_from_text(record.name.empty() ? "." : record.name);
    if (!name || record.record.rdata.size() > 60'000) return;  // reported when it becomes a rule
    std::vector<std::uint8_t> message{0, 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0};
    const auto add16 = [&message](unsigned v) {
        message.push_back(static_cast<std::uint8_t>(v >> 8));
        message.push_back(static_cast<std::uint8_t>(v & 0xff));
    };
    message.insert(message.end(), name->begin(), name->end());
    for (const unsigned v : {unsigned{record.record.type}, unsigned{record.record.klass}, 0xc00cU,
                             unsigned{record.record.type}, unsigned{record.record.klass}, 0U, 60U,
                             static_cast<unsigned>(record.record.rdata.size())})
        add16(v);
    message.insert(message.end(), record.record.rdata.begin(), record.record.rdata.end());
    alignas(8) static std::array<std::uint8_t, std::size_t{2} * dns::kMaxMessage> block;
    dns::UpstreamFacts facts;
    // Data in the generic form (RFC 3597) may be invalid for its type; build_answer() finds names and counts that do not fit.
    if (dns::build_answer(message, *name, record.record.type, record.record.klass, false, block,
                          facts, dns::Records::all) != dns::AnswerError::none)
        return;
    const auto& answer = *reinterpret_cast<const dns::Answer*>(block.data());
    REQUIRE(answer.ancount == 1 && !answer.negative);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto zone = config::read_zone(text, "fuzz");
    REQUIRE((zone.bad.count() == 0) == zone.bad.errors().empty());
    for (const auto& record : zone.records)
        check(record);
    return 0;
}
