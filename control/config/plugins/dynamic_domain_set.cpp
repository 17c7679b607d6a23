// dynamic_domain_set: rules in a file that changes while serving (control/sources/rules).
#include <algorithm>
#include <filesystem>

#include "control/config/lists/rule_steps.h"
#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/text/url.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct DynamicDomainSetArgs {
    std::string path;
    std::vector<Text> first;
    std::uint32_t queue_size = 0, batch_size = 0, flush_interval_ms = 0;
    std::uint32_t max_entries = 0, entry_ttl_s = 0, cleanup_interval_s = 0;
    std::string metadata_path;
};

constexpr std::string_view kManySeconds = "1..4294967295";

template <auto Member>
void read_limit(Reading& in, const Node& node, const Place& place, DynamicDomainSetArgs& args) {
    read_value(in, node, place,
               Member == &DynamicDomainSetArgs::max_entries ? "1..100000000" : kManySeconds,
               args.*Member);
}

constexpr std::array<Row<DynamicDomainSetArgs>, 9> kDynamicDomainSetRows{{
    {"path", FileName<DynamicDomainSetArgs>{&DynamicDomainSetArgs::path}, "required", "",
     "file with the rules, one per line\nA rule without a prefix is a `domain:` rule. `#` starts a "
     "comment. The user of the daemon must be able to write to its folder."},
    {"bootstrap_rules",
     Own<DynamicDomainSetArgs>{"list of rules",
                               read_list<&DynamicDomainSetArgs::first, DynamicDomainSetArgs>},
     "none", "",
     "rules of a new file\nThey are written when the file does not exist yet. Once removed, they "
     "are not added again."},
    {"queue_size", &DynamicDomainSetArgs::queue_size, "1024", "1..1000000",
     "maximum changes that wait to be written; further changes are rejected"},
    {"batch_size", &DynamicDomainSetArgs::batch_size, "256", "1..1000000",
     "maximum changes per write"},
    {"flush_interval_ms", &DynamicDomainSetArgs::flush_interval_ms, "200", "0..60000",
     "milliseconds to collect changes before a write"},
    {"max_entries",
     Own<DynamicDomainSetArgs>{"integer", read_limit<&DynamicDomainSetArgs::max_entries>}, "none",
     "1..100000000",
     "maximum rules of the set\nA learned name that does not fit is not added. A rule that you add "
     "takes the place of the name that was learned first; without a learned name, it is refused."},
    {"entry_ttl_seconds",
     Own<DynamicDomainSetArgs>{"integer", read_limit<&DynamicDomainSetArgs::entry_ttl_s>}, "none",
     kManySeconds,
     "how long a learned name stays, in seconds\nIt needs `metadata_path`. A query can teach the "
     "name "
     "again. Rules that you add, with `steerctl rules`, in the file or as `bootstrap_rules`, "
     "stay."},
    {"cleanup_interval_seconds", &DynamicDomainSetArgs::cleanup_interval_s, "600", kManySeconds,
     "interval between two searches for names that are older than `entry_ttl_seconds`\nAfter names "
     "were removed, the next search begins 10 s later at the earliest."},
    {"metadata_path", FileName<DynamicDomainSetArgs>{&DynamicDomainSetArgs::metadata_path}, "none",
     "",
     "JSON file with the origin of each rule and the time when it was added\nThe daemon writes it. "
     "Rules that it does not name are yours. A learned name that you add becomes yours. The file "
     "of "
     "OxiDNS is read as it is."},
}};

// Of the file, or of one that is not there yet.
void read_file_rules(Reading& in, const DynamicDomainSetArgs& args, const RuleFile& file,
                     const ResolvedPath& path, const Place& place, std::vector<RuleAt>& out) {
    std::vector<RuleAt> first;
    for (const Text& text : args.first) {
        const Place at{"bootstrap_rules", place.owner, text.line};
        if (const auto rule = good_rule(text.value); !rule) {
            in.report().error(text.line, at.name() + ": " + rule.error().text);
        } else {
            first.push_back({*rule, 0, text.line, 0});
        }
    }
    std::error_code error;
    if (!std::filesystem::exists(file.file, error) && !error) {
        in.settings().opened.push_back(file.file);
        out = std::move(first);
        return;
    }
    const auto bytes = in.read_file(path, place);
    if (!bytes) return;
    auto list = matchers::read_rules(*bytes, file.file, matchers::RuleKind::domain);
    if (list.rules.empty() && list.bad.count() == 0) return;  // all of them were removed
    take_rules(in, std::move(list), false, file.file, place, out, kOfOperator);
    if (file.max_entries != 0 && out.size() > file.max_entries) {
        in.report().warn(place.line, place.name() + ": the file has " + std::to_string(out.size()) +
                                         " rules, and 'max_entries' allows " +
                                         std::to_string(file.max_entries) +
                                         ": all are used, and none is added; raise it, or remove "
                                         "rules");
    }
}

// Files that are read or written for another purpose.
const RuleFile* user_of(Reading& in, const std::string& file) {
    const auto& all = in.settings().rule_files;
    const auto at = std::ranges::find_if(
        all, [&](const RuleFile& f) { return f.file == file || f.origins_file == file; });
    return at == all.end() ? nullptr : &*at;
}

void read_metadata(Reading& in, const Node& map, const DynamicDomainSetArgs& args,
                   const std::string& owner, RuleFile& file) {
    file.max_entries = args.max_entries;
    file.entry_ttl_s = args.entry_ttl_s;
    file.cleanup_interval_s = args.cleanup_interval_s;
    const Node *const ttl = map.find("entry_ttl_seconds"), *const metadata =
                                                               map.find("metadata_path");
    if (metadata == nullptr && ttl != nullptr) {
        in.report().error(
            ttl->line, "'entry_ttl_seconds' of " + owner +
                           " needs the time when each name was learned: write 'metadata_path', a "
                           "file such as /var/lib/steerdns/names.meta.json");
    }
    if (const Node* const interval = map.find("cleanup_interval_seconds");
        interval != nullptr && ttl == nullptr) {
        in.report().warn(interval->line, "'cleanup_interval_seconds' of " + owner +
                                             " has no effect without 'entry_ttl_seconds': add it, "
                                             "or remove the key");
    }
    if (metadata == nullptr || args.metadata_path.empty()) return;
    const Place place{"metadata_path", owner, metadata->line};
    if (is_url(args.metadata_path)) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(args.metadata_path) +
                                          ": expected a file that the daemon writes, such as "
                                          "/var/lib/steerdns/names.meta.json");
        return;
    }
    file.origins_file = in.resolve(args.metadata_path, place.line);
    if (file.origins_file == file.file) {
        in.report().error(place.line, place.name() + " is the same file as 'path': use two files");
    } else if (const RuleFile* const other = user_of(in, file.origins_file)) {
        in.report().error(place.line, place.name() + ": dynamic_domain_set '" + other->tag +
                                          "' has the same file: use another file");
    }
}

void read_dynamic_domain_set(Reading& in, const Node* node, Plugin& plugin) {
    DynamicDomainSetArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kDynamicDomainSetRows, owner, args);
    plugin.args = DomainSet{};
    const Node* const written = map.find("path");
    if (written == nullptr || args.path.empty()) return;  // that was reported
    const Place place{"path", owner, written->line};
    if (is_url(args.path)) {
        in.report().error(place.line,
                          place.name() + " is " + matchers::quoted(args.path) +
                              ": expected a file, such as "
                              "/var/lib/steerdns/names.txt; a list by URL is a domain_set");
        return;
    }
    const ResolvedPath path = in.resolve(args.path, place.line);
    RuleFile file{.tag = plugin.tag,
                  .file = path,
                  .first = {},
                  .line = place.line,
                  .queue_size = args.queue_size,
                  .batch_size = args.batch_size,
                  .flush_interval_ms = args.flush_interval_ms};
    for (const Text& text : args.first)
        file.first.push_back(text.value);
    read_metadata(in, map, args, owner, file);
    auto& all = in.settings().rule_files;
    if (const RuleFile* const other = user_of(in, file.file)) {
        in.report().error(place.line, place.name() + ": dynamic_domain_set '" + other->tag +
                                          "' has the same file: use one plugin for both");
        return;
    }
    ListRules rules;
    read_file_rules(in, args, file, path, place, rules.names);
    DomainSet set;
    set.steps = steps_of(std::move(rules));
    plugin.args = std::move(set);
    all.push_back(std::move(file));
}

}  // namespace

const PluginType kDynamicDomainSetType{
    "dynamic_domain_set",
    Role::provider,
    "A set of domain names that you can change while the daemon runs: `steerctl rules TAG "
    "[list|add RULE...|remove RULE...]`. The command returns when the change is saved and active. "
    "You can also edit the file; steerctl leaves your other lines unchanged.",
    "",
    "",
    [] { return row_texts(kDynamicDomainSetRows); },
    read_dynamic_domain_set,
    nullptr};

}  // namespace steer::config
