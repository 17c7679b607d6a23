// Recognizes configurations of other programs that were given as ours: a Corefile, a dnsmasq.conf,
// a RouterOS export, an AdGuardHome.yaml.
#pragma once

#include <string>
#include <string_view>

namespace steer::config {

// Returns a sentence: which program's file it is and what to do with it. Empty: none of these.
// `file`: its name, for the command.
std::string foreign_file(std::string_view text, const std::string& file);

}  // namespace steer::config
