#include "control/rights.h"

#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace steer {
namespace {

constexpr std::array kKept{CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_BPF};

Error failed(const std::string& what) {
    return Error{what + " failed: " + std::strerror(errno) +
                 "; to keep running as root, set `user: root` in `control:`"};
}

using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)>;

bool is_permitted(cap_value_t capability) {
    const Capabilities now(cap_get_proc(), cap_free);
    cap_flag_value_t set = CAP_CLEAR;
    return now != nullptr && cap_get_flag(now.get(), capability, CAP_PERMITTED, &set) == 0 &&
           set == CAP_SET;
}

Result<void> keep_capabilities() {
    std::vector<cap_value_t> kept(kKept.begin(), kKept.end());
    if (is_permitted(CAP_IPC_LOCK)) kept.push_back(CAP_IPC_LOCK);
    const Capabilities caps(cap_init(), cap_free);
    for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
        if (cap_set_flag(caps.get(), flag, static_cast<int>(kept.size()), kept.data(), CAP_SET) !=
            0) {
            return failed("choosing capabilities");
        }
    }
    if (cap_set_proc(caps.get()) != 0)
        return failed("keeping CAP_NET_ADMIN, NET_RAW, NET_BIND_SERVICE and BPF");
    return {};
}

// (An Error can be made from a string, too: which of the two is meant has to be said.)
Result<std::string> name(std::string user) {
    return {boost::system::in_place_value, std::move(user)};
}

}  // namespace

Result<std::string> resolve_user(const std::string& wanted) {
    if (::geteuid() != 0) return name({});
    if (!wanted.empty()) {
        if (::getpwnam(wanted.c_str()) == nullptr) {
            return Error{"there is no user '" + wanted +
                         "' (control.user): create it, or name another"};
        }
        return name(wanted);
    }
    return name(::getpwnam("steerdns") != nullptr ? "steerdns" : "nobody");
}

Result<void> drop_rights(const std::string& user, const std::vector<std::string>& handed) {
    if (user.empty() || user == "root") return {};
    const passwd* const entry = ::getpwnam(user.c_str());
    if (entry == nullptr) return Error{"there is no user '" + user + "'"};
    const uid_t uid = entry->pw_uid;
    const gid_t gid = entry->pw_gid;
    for (const auto& path : handed) {
        if (!path.empty() && ::chown(path.c_str(), uid, gid) != 0)
            return failed("chown of " + path);
    }
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return failed("keeping capabilities");
    if (::setgroups(0, nullptr) != 0) return failed("giving up groups");
    if (::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0) {
        return failed("becoming user " + user);
    }
    return keep_capabilities();
}

}  // namespace steer
