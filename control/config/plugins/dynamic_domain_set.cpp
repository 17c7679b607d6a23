// dynamic_domain_set: rules in a file that changes while serving (control/rules).
#include <algorithm>
#include <filesystem>

#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"
#include "control/config/url.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct DynamicDomainSetArgs {
    std::string path;
    std::vector<Text> first;
    std::uint32_t queue_size = 0, batch_size = 0, flush_interval_ms = 0;
};

constexpr std::array<Row<DynamicDomainSetArgs>, 5> kDynamicDomainSetRows{{
    {"path", &DynamicDomainSetArgs::path, "required", "",
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
}};

// Of the file, or of one that is not there yet.
void read_file_rules(Reading& in, const DynamicDomainSetArgs& args, const RuleFile& file,
                     const Place& place, DomainSet& set) {
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
        set.rules = std::move(first);
        return;
    }
    const auto bytes = in.read_file(file.file, place);
    if (!bytes) return;
    auto list = matchers::read_rules(*bytes, file.file, matchers::RuleKind::domain);
    if (list.rules.empty() && list.bad.count() == 0) return;  // all of them were removed
    take_rules(in, std::move(list), false, file.file, place, set.rules, kOfOperator);
}

void read_dynamic_domain_set(Reading& in, const Node* node, Plugin& plugin) {
    DynamicDomainSetArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kDynamicDomainSetRows, owner, args);
    plugin.args = DomainSet{};
    const Node* const written = map.find("path");
    if (written == nullptr || args.path.empty()) return;  // that was said
    const Place place{"path", owner, written->line};
    if (is_url(args.path)) {
        in.report().error(place.line,
                          place.name() + " is " + matchers::quoted(args.path) +
                              ": expected a file, such as "
                              "/var/lib/steerdns/names.txt; a list by URL is a domain_set");
        return;
    }
    RuleFile file{plugin.tag,      in.resolve(args.path), {}, place.line, args.queue_size,
                  args.batch_size, args.flush_interval_ms};
    for (const Text& text : args.first)
        file.first.push_back(text.value);
    auto& all = in.settings().rule_files;
    const auto other = std::find_if(all.begin(), all.end(),
                                    [&](const RuleFile& f) { return f.file == file.file; });
    if (other != all.end()) {
        in.report().error(place.line, place.name() + ": dynamic_domain_set '" + other->tag +
                                          "' has the same file: use one plugin for both");
        return;
    }
    DomainSet set;
    read_file_rules(in, args, file, place, set);
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
