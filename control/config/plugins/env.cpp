// env: an environment variable exists or has a value; read once, with the configuration.
#include "control/config/plugins/words.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kEnvForms = "KEY, KEY=VALUE, or KEY VALUE";

bool is_equal(const Reading& in, const std::string& key, std::string_view value) {
    const auto found = in.environment(key);
    return found.has_value() && *found == value;
}

void read_env_all(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    Constant out{false};
    if (!words.empty()) {
        const Text& first = words.front();
        const auto equals = first.value.find('=');
        if (words.size() > 2 || equals == 0 || (words.size() == 2 && equals != std::string::npos)) {
            in.report().error(first.line,
                              owner_of(plugin) + ": expected " + std::string(kEnvForms));
        } else if (equals != std::string::npos) {
            out.value = is_equal(in, first.value.substr(0, equals), first.value.substr(equals + 1));
        } else if (words.size() == 1) {
            out.value = in.environment(first.value).has_value();
        } else {
            const std::string& value = words.back().value;
            out.value = is_equal(in, first.value, value);
            if (in.environment(value)) {
                in.report().warn(first.line,
                                 owner_of(plugin) + " compares " + matchers::quoted(first.value) +
                                     " with the text " + matchers::quoted(value) +
                                     " (ForgeDNS asks whether both variables exist): write '" +
                                     first.value + "=" + value +
                                     "', or two 'env' matchers if both have to exist");
            }
        }
    }
    plugin.args = out;
}

}  // namespace

const PluginType kEnvType{"env",
                          Role::matcher,
                          "Holds if the environment variable exists, or has the value; read once, "
                          "with the configuration.",
                          "env KEY | env KEY=VALUE",
                          "one of these texts; `KEY VALUE` is read as `KEY=VALUE`",
                          no_rows,
                          read_words<kEnvForms, read_env_all>,
                          read_quick_words<kEnvForms, read_env_all>};

}  // namespace steer::config
