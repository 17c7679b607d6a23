// What steerdnsd and steerdns-sets read of each other, were the other one broken: datagrams, each behind two bytes of its
// length. What is taken for a message is reported again in the same bytes, and plans that come whole make the same messages.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "../require.h"
#include "control/sinks/set_process/plan_reader.h"
#include "control/sinks/set_process/set_messages.h"

namespace {

using namespace steer::sets;

// Without what a plan's messages have: they are compared whole.
void say_again(const SetMessage& message, std::string_view bytes) {
    if (const auto* const claims = std::get_if<ClaimRows>(&message.what)) {
        REQUIRE(claims->rows.size() <= kMaxRows);
        REQUIRE(encode_claims(message.plans, claims->rows).size() == bytes.size());
    } else if (const auto* const written = std::get_if<WrittenRows>(&message.what)) {
        REQUIRE(encode_written(message.plans, written->rows).size() == bytes.size());
    } else if (const auto* const refused = std::get_if<RefusedRows>(&message.what)) {
        REQUIRE(encode_refused(message.plans, refused->rows).size() == bytes.size());
    } else if (const auto* const lost = std::get_if<LostLists>(&message.what)) {
        REQUIRE(encode_lost(message.plans, lost->lists) == bytes);
    } else if (const auto* const state = std::get_if<SetState>(&message.what)) {
        REQUIRE(encode_state(message.plans, *state) == bytes);
    } else if (const auto* const line = std::get_if<LogLine>(&message.what)) {
        REQUIRE(encode_log(line->level, line->text).size() == bytes.size());
    }
}

void read_plans_again(const PlanReader& reader) {
    PlanReader again;
    auto progress = PlanReader::Progress::wrong;
    for (const std::string& bytes : encode_plans(reader.number(), reader.plans())) {
        auto message = decode(bytes);
        REQUIRE(message.has_value());
        progress = again.take(std::move(*message));
        REQUIRE(progress != PlanReader::Progress::wrong);
    }
    REQUIRE(progress == PlanReader::Progress::whole);
    REQUIRE(again.plans() == reader.plans());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view left(reinterpret_cast<const char*>(data), size);
    PlanReader reader;
    while (left.size() >= 2) {
        std::uint16_t length = 0;
        std::memcpy(&length, left.data(), sizeof length);
        left.remove_prefix(sizeof length);
        const std::string_view bytes = left.substr(0, length);
        left.remove_prefix(bytes.size());
        auto message = decode(bytes);
        if (!message) continue;
        say_again(*message, bytes);
        if (reader.take(std::move(*message)) == PlanReader::Progress::whole)
            read_plans_again(reader);
    }
    return 0;
}
