// hosts: addresses of names, by rules.
#include <map>
#include <utility>

#include "control/config/lists/entry_lines.h"
#include "control/config/lists/list_source.h"
#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "matchers/list/lines.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct HostsArgs {
    std::vector<Text> entries, files;
    bool strict = false, short_circuit = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
};

constexpr std::array<Row<HostsArgs>, 6> kHostsRows{{
    {"entries", Own<HostsArgs>{"list of `RULE IP...`", read_list<&HostsArgs::entries, HostsArgs>},
     "none", "",
     "entries, as in `full:www.example.org 192.0.2.1 2001:db8::1`\nA rule without a prefix is a "
     "`full:` rule."},
    {"files", Files<HostsArgs>{"list of paths and URLs", read_list<&HostsArgs::files, HostsArgs>},
     "none", "", "files with one entry per line; `#` starts a comment"},
    {"strict", &HostsArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
    {"short_circuit", &HostsArgs::short_circuit, "false", "", "an answer ends the whole program"},
    max_shrink_row<HostsArgs>(),
    list_ready_row<HostsArgs>(),
}};

// "RULE IP..."
struct HostEntry {
    matchers::Rule rule;
    std::vector<IpAddress> addresses;
};

Result<HostEntry> parse_hosts_entry(std::string_view text) {
    const std::string_view first = take_word(text);
    if (IpAddress::parse(first)) {
        return Error{matchers::quoted(first) +
                     " comes before the name: write the name first, then its addresses"};
    }
    auto rule = matchers::parse_rule(first, matchers::RuleKind::full);
    if (!rule) return rule.error();
    HostEntry out{*std::move(rule), {}};
    for (const auto word : split_words(matchers::without_comment(text))) {
        const auto ip = IpAddress::parse(word);
        if (!ip) {
            return Error{matchers::quoted(word) + " after " + matchers::quoted(first) +
                         " is not an IP address"};
        }
        out.addresses.push_back(*ip);
    }
    if (out.addresses.empty())
        return Error{matchers::quoted(first) + " has no address: add at least one"};
    return out;
}

class HostsReader {
  public:
    HostsReader(Reading& in, std::string owner) : in_(in), owner_(std::move(owner)) {}

    void entry(const Text& text) {
        auto entry = parse_hosts_entry(text.value);
        if (entry) return add(*std::move(entry), 0, text.line);
        const Place place{"entries", owner_, text.line};
        in_.report().error(text.line, place.name() + ": " + entry.error().text);
    }

    void file(const Text& path, bool strict, const ListUse& use) {
        const Place place{"files", owner_, path.line};
        const auto list = read_list_source(in_, path, place, use);
        if (!list) return;
        read_entry_lines(in_, list->bytes, list->file, strict, place, parse_hosts_entry,
                         [this](auto entry, std::uint32_t number, int line) {
                             add(std::move(entry), number, line);
                         });
    }

    Hosts out;

  private:
    void add(HostEntry entry, std::uint32_t file, int line) {
        const auto [at, fresh] =
            known_.try_emplace(entry.addresses, static_cast<std::uint32_t>(out.addresses.size()));
        if (fresh) out.addresses.push_back(std::move(entry.addresses));
        out.rules.push_back({std::move(entry.rule), file, line, at->second});
    }

    Reading& in_;
    std::string owner_;
    std::map<std::vector<IpAddress>, std::uint32_t> known_;
};

void read_hosts(Reading& in, const Node* node, Plugin& plugin) {
    HostsArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kHostsRows, owner, args);
    HostsReader reader(in, owner);
    for (const Text& entry : args.entries)
        reader.entry(entry);
    for (const Text& file : args.files)
        reader.file(file, args.strict, use_of(plugin, map));
    reader.out.strict = args.strict;
    reader.out.short_circuit = args.short_circuit;
    warn_without(in, map, plugin, {"entries", "files"}, "it answers no name");
    plugin.args = std::move(reader.out);
}

}  // namespace

const PluginType kHostsType{
    "hosts",
    Role::executor,
    "Answers A and AAAA queries (class IN) for the listed names, with a TTL of 10 s. A listed name "
    "without an address of the queried family gets NOERROR without records. Other types continue "
    "with the next rule.\n\n`full:` rules take precedence over `domain:` (the longest wins), "
    "`domain:` over `regexp:`, and `regexp:` over `keyword:`. Of two identical rules the last one "
    "wins; `files` come after `entries`.",
    "",
    "",
    [] { return row_texts(kHostsRows); },
    read_hosts,
    nullptr};

}  // namespace steer::config
