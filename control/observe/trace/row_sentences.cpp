#include "control/observe/trace/row_sentences.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <string_view>

namespace steer {
namespace {

bool is_part_of_address(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '.' || c == ':';
}

// The address as a whole: 192.0.2.1 is not in 192.0.2.10.
bool has_address(std::string_view words, std::string_view address) {
    for (std::size_t at = words.find(address); at != std::string_view::npos;
         at = words.find(address, at + 1)) {
        const std::size_t end = at + address.size();
        const bool begins = at == 0 || !is_part_of_address(words[at - 1]);
        if (begins && (end == words.size() || !is_part_of_address(words[end]))) return true;
    }
    return false;
}

}  // namespace

boost::json::array row_sentences(const std::string& router,
                                 const std::vector<routeros::TracedSentence>& sentences,
                                 const WantedRows& wanted) {
    std::vector<boost::json::object> found;
    for (auto s = sentences.rbegin(); s != sentences.rend() && found.size() < kMaxSentences; ++s) {
        const auto address = std::ranges::find_if(
            wanted.addresses, [&](const std::string& a) { return has_address(s->words, a); });
        const auto list = std::ranges::find_if(wanted.lists, [&](const std::string& tag) {
            return s->words.find("pg=" + tag + ";") != std::string::npos;
        });
        if (address == wanted.addresses.end() || list == wanted.lists.end()) continue;
        boost::json::object one{{"router", router},
                                {"serial", s->serial},
                                {"address", *address},
                                {"list", *list},
                                {"at_ms", static_cast<std::int64_t>(s->sent_ms) -
                                              static_cast<std::int64_t>(wanted.began_ms)},
                                {"words", s->words}};
        if (s->ended_ms != 0) {
            one["took_ms"] = s->ended_ms - s->sent_ms;
            one["reply"] = s->reply;
        }
        found.push_back(std::move(one));
    }
    boost::json::array out;
    for (auto one = found.rbegin(); one != found.rend(); ++one)
        out.push_back(std::move(*one));
    return out;
}

}  // namespace steer
