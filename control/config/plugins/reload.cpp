// reload and reload_provider: the configuration and its files are read anew.
#include "control/config/plugins/plugin_type.h"
#include "control/config/plugins/words.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

void read_reload(Reading& in, const Node* node, Plugin& plugin) {
    const bool none =
        node == nullptr || node->is_null() || (node->is_map() && node->entries.empty());
    if (!none) in.report().error(plugin.line, owner_of(plugin) + " takes no 'args': remove them");
    plugin.args = ReloadAll{};
}
void read_reload_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    if (!words.empty())
        in.report().error(line, owner_of(plugin) + " takes no words: write 'reload' alone");
    plugin.args = ReloadAll{};
}

constexpr std::string_view kReloadForms = "$TAG of a provider";

void read_providers(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    ReloadProvider args;
    for (const Text& word : words) {
        if (!word.value.starts_with('$')) {
            in.report().error(word.line, matchers::quoted(word.value) + " in " + owner_of(plugin) +
                                             ": expected " + std::string(kReloadForms) +
                                             ", as in '$geosite_cn'");
            continue;
        }
        if (const auto index = in.refer(word.value.substr(1), Wanted::provider, word.line))
            args.providers.push_back(*index);
    }
    plugin.args = std::move(args);
}

}  // namespace

const PluginType kReloadType{
    "reload",
    Role::executor,
    "Reads the configuration and its files anew, as `steerctl reload` does: in a `cron`, or beside "
    "a query, which goes on at once. Of what queries ask for, one run is under way at a time, and "
    "one begins in ten seconds.",
    "reload",
    "none",
    no_rows,
    read_reload,
    read_reload_quick};

const PluginType kReloadProviderType{
    "reload_provider",
    Role::executor,
    "Reads providers anew. It is a `reload`: what did not change is taken from the compiled lists "
    "(`images` of `control`), and caches, upstreams and claims stay as they are; a change of the "
    "configuration itself is taken up with it. It is run by a `cron`, or beside a query as "
    "`reload` "
    "is.",
    "reload_provider $TAG...",
    "a list of `$TAG` of providers",
    no_rows,
    read_words<kReloadForms, read_providers>,
    read_quick_words<kReloadForms, read_providers>};

}  // namespace steer::config
