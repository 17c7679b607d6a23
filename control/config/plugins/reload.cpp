// reload and reload_provider: read the configuration and its files again.
#include "control/config/plugin_type.h"
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
    "Reloads the configuration and its files, like `steerctl reload`. Use it in a `cron` or in a "
    "sequence. In a sequence it runs in the background, and the query continues at once. Queries "
    "can trigger one reload at a time, at most one in ten seconds.",
    "reload",
    "none",
    no_rows,
    read_reload,
    read_reload_quick};

const PluginType kReloadProviderType{
    "reload_provider",
    Role::executor,
    "Reloads the files of providers. It performs a complete reload: changes of the configuration "
    "apply too, unchanged lists come from `images` in `control`, and caches, upstreams and claims "
    "stay. Use it in a `cron` or in a sequence, like `reload`.",
    "reload_provider $TAG...",
    "list of `$TAG` of providers",
    no_rows,
    read_words<kReloadForms, read_providers>,
    read_quick_words<kReloadForms, read_providers>};

}  // namespace steer::config
