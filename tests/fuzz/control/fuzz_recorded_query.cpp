// Messages of any bytes as the recorder reads them: texts stay printable, and blanking changes nothing outside options.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "control/observe/recorder/json_line.h"
#include "control/observe/recorder/recorded_query.h"
#include "fuzz/require.h"

namespace {

using namespace steer::recorder;

bool is_printable(const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> message(data, size);
    std::string name, answers;
    put_answers(message, answers);
    REQUIRE(is_printable(answers) && answers.size() <= kMostAnswers);
    put_name(message.subspan(std::min<std::size_t>(size, 12)), name);
    REQUIRE(is_printable(name));
    RecordedQuery query;
    query.name = name;
    query.answers = answers;
    query.client_text = "192.0.2.7";
    query.end = "answered";
    JsonLine line;
    std::string text;
    line.append(query, text);
    const auto parsed = boost::json::parse(text);
    REQUIRE(name.empty() || parsed.at("name").as_string() == name);
    REQUIRE(answers.empty() || parsed.at("answers").as_string() == answers);

    std::vector<std::uint8_t> blanked(message.begin(), message.end());
    blank_client_options(blanked, 24, 56);
    REQUIRE(blanked.size() == size);
    for (std::size_t i = 0; i < size; ++i)
        REQUIRE((blanked[i] & ~data[i]) == 0);  // bits are cleared, never set
    auto again = blanked;
    blank_client_options(again, 24, 56);
    REQUIRE(again == blanked);
    return 0;
}
