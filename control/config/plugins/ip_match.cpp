// client_ip, resp_ip, ptr_ip: an address of the query is in one of the given sets or prefixes.
#include "control/config/lists/rules.h"
#include "control/config/plugins/words.h"

namespace steer::config {
namespace {

constexpr std::string_view kIpMatchForms = "addresses, prefixes, $TAG of an ip_set, or &FILE";

void read_word(Reading& in, const Text& word, const std::string& owner, IpMatch& out) {
    const std::string_view text = word.value;
    const Place place{"args", owner, word.line};
    if (text.starts_with('$')) {
        if (const auto index = in.refer(text.substr(1), Wanted::ip_set, word.line))
            out.sets.push_back(*index);
    } else if (text.starts_with('&')) {
        read_prefix_file(in, {word.value.substr(1), word.line}, place, {}, false, out.prefixes);
    } else if (const auto* known = in.find_tag(text);
               known != nullptr && known->role == Role::provider) {
        in.report().warn(word.line, "'" + word.value + "' in " + owner + " is the tag of a " +
                                        known->type + ": read as '$" + word.value +
                                        "'; write the '$'");
        if (const auto index = in.refer(text, Wanted::ip_set, word.line))
            out.sets.push_back(*index);
    } else {
        read_prefix(in, word, place, out.prefixes);
    }
}

template <AddressOf Of>
void read_ip_match_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    IpMatch out;
    out.of = Of;
    for (const Text& item : words) {
        for (const Text& word : words_of(item.value, item.line))
            read_word(in, word, owner, out);
    }
    plugin.args = std::move(out);
}

constexpr std::string_view kIpMatchArgs =
    "list of addresses, prefixes, `$TAG` of an ip_set, or `&FILE`; or the same words as one text";

}  // namespace

const PluginType kClientIpType{
    "client_ip",
    Role::matcher,
    "Matches if the client's address is in one of the sets or prefixes.",
    "client_ip PREFIX|$TAG|&FILE...",
    kIpMatchArgs,
    no_rows,
    read_words<kIpMatchForms, read_ip_match_all<AddressOf::client>>,
    read_quick_words<kIpMatchForms, read_ip_match_all<AddressOf::client>>};
const PluginType kRespIpType{
    "resp_ip",
    Role::matcher,
    "Matches if the answer contains an A or AAAA record with an address in one of the sets or "
    "prefixes.",
    "resp_ip PREFIX|$TAG|&FILE...",
    kIpMatchArgs,
    no_rows,
    read_words<kIpMatchForms, read_ip_match_all<AddressOf::response>>,
    read_quick_words<kIpMatchForms, read_ip_match_all<AddressOf::response>>};
const PluginType kPtrIpType{"ptr_ip",
                            Role::matcher,
                            "Matches if the query's name is a complete address under in-addr.arpa "
                            "or ip6.arpa, and that address is in one of the sets or prefixes.",
                            "ptr_ip PREFIX|$TAG|&FILE...",
                            kIpMatchArgs,
                            no_rows,
                            read_words<kIpMatchForms, read_ip_match_all<AddressOf::name>>,
                            read_quick_words<kIpMatchForms, read_ip_match_all<AddressOf::name>>};

}  // namespace steer::config
