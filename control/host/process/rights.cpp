#include "control/host/process/rights.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "control/host/process/path_parts.h"
#include "control/host/process/starter.h"
#include "dataplane/port/descriptor.h"

namespace steer {
namespace {

constexpr std::array kNeeded{CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_BPF};

Error failed(const std::string& what, const std::string& needed = {}) {
    return Error{what + " failed: " + std::strerror(errno) + "; " +
                 (needed.empty() ? "" : "it needs " + needed + "; ") +
                 "to keep running as root, set `user: root` in `control:`"};
}

using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)>;

bool is_permitted(cap_value_t capability) {
    const Capabilities now(cap_get_proc(), cap_free);
    cap_flag_value_t set = CAP_CLEAR;
    return now != nullptr && cap_get_flag(now.get(), capability, CAP_PERMITTED, &set) == 0 &&
           set == CAP_SET;
}

bool is_inheritable(cap_value_t capability) {
    const Capabilities now(cap_get_proc(), cap_free);
    cap_flag_value_t set = CAP_CLEAR;
    return now != nullptr && cap_get_flag(now.get(), capability, CAP_INHERITABLE, &set) == 0 &&
           set == CAP_SET;
}

void make_inheritable(cap_value_t capability) {
    const Capabilities now(cap_get_proc(), cap_free);
    if (now == nullptr || !is_permitted(capability)) return;
    if (cap_set_flag(now.get(), CAP_INHERITABLE, 1, &capability, CAP_SET) == 0)
        (void)cap_set_proc(now.get());
}

Result<void> keep_capabilities(const KeptCapabilities& wanted) {
    std::vector<cap_value_t> kept;
    std::copy_if(kNeeded.begin(), kNeeded.end(), std::back_inserter(kept), [&](cap_value_t one) {
        if (one == CAP_NET_ADMIN && !wanted.net_admin) return false;
        if (one == CAP_BPF && !wanted.bpf) return false;
        return is_permitted(one);
    });
    if (is_permitted(CAP_IPC_LOCK)) kept.push_back(CAP_IPC_LOCK);
    const Capabilities caps(cap_init(), cap_free);
    for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
        if (cap_set_flag(caps.get(), flag, static_cast<int>(kept.size()), kept.data(), CAP_SET) !=
            0) {
            return failed("choosing capabilities");
        }
    }
    if (cap_set_proc(caps.get()) != 0) return failed("keeping capabilities");
    return {};
}

// Explicit type, because an Error can be made from a string too.
Result<std::string> name(std::string user) {
    return {boost::system::in_place_value, std::move(user)};
}

}  // namespace

void harden_process() {
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    make_inheritable(CAP_NET_ADMIN);
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
        (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

void keep_only_capabilities(std::span<const int> kept, std::span<const int> inheritable) {
    const Capabilities caps(cap_init(), cap_free);
    if (caps == nullptr) return;
    for (const cap_value_t capability : kept) {
        if (!is_permitted(capability)) continue;
        for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE})
            (void)cap_set_flag(caps.get(), flag, 1, &capability, CAP_SET);
    }
    for (const cap_value_t capability : inheritable) {
        if (is_permitted(capability) && is_inheritable(capability))
            (void)cap_set_flag(caps.get(), CAP_INHERITABLE, 1, &capability, CAP_SET);
    }
    (void)cap_set_proc(caps.get());
}

bool hand_over(const std::string& path, uid_t uid, gid_t gid,
               const std::function<void(const std::string& part)>& at_each_part) {
    const int start = path.starts_with('/') ? ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
                                            : ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    Descriptor at(start);
    std::vector<std::string> left = parts_of(path);
    unsigned links = 0;
    struct stat is {};
    if (at.get() < 0 || ::fstat(at.get(), &is) != 0) return false;
    while (!left.empty()) {
        const std::string part = std::move(left.back());
        left.pop_back();
        if (at_each_part) at_each_part(part);
        Descriptor next(::openat(at.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (next.get() < 0 || ::fstat(next.get(), &is) != 0) return false;
        if (!S_ISLNK(is.st_mode)) {
            at = std::move(next);
            continue;
        }
        if (is.st_uid != 0) return true;  // not ours to follow
        const std::string target = target_of(next.get());
        if (target.empty()) return false;
        if (++links > kMaxLinksOfPath) {
            errno = ELOOP;
            return false;
        }
        if (target.starts_with('/')) at = Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (at.get() < 0) return false;
        const auto more = parts_of(target);
        left.insert(left.end(), more.begin(), more.end());
    }
    if (at_each_part) at_each_part("");
    if (::fstat(at.get(), &is) != 0) return false;
    if (!S_ISDIR(is.st_mode) && is.st_nlink > 1) return true;
    return ::fchownat(at.get(), "", uid, gid, AT_EMPTY_PATH) == 0;
}

void give_own_folders(const std::string& user, const std::string& control_socket) {
    const passwd* const entry = ::geteuid() == 0 ? ::getpwnam(user.c_str()) : nullptr;
    if (entry == nullptr || user == "root") return;
    std::error_code no_folder;
    std::filesystem::create_directories(kStateFolder, no_folder);
    if (!no_folder) (void)hand_over(kStateFolder, entry->pw_uid, entry->pw_gid);
    if (is_at_or_below(control_socket, kRunFolder) && !is_nobody(user))
        (void)hand_over(kRunFolder, entry->pw_uid, entry->pw_gid);
}

bool is_at_or_below(const std::string& path, const std::string& folder) {
    const auto whole = std::filesystem::absolute(path).lexically_normal().string();
    return whole == folder || whole.starts_with(folder + "/");
}

bool is_nobody(const std::string& user) {
    constexpr uid_t kOverflowUid =
        65534;  // the kernel's overflow uid, for users without a number in this namespace
    const passwd* const entry = ::getpwnam(user.c_str());
    return user == "nobody" || (entry != nullptr && entry->pw_uid == kOverflowUid);
}

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

std::vector<std::string> lacking_capabilities() {
    std::vector<std::string> lacking;
    for (const cap_value_t capability : kNeeded) {
        if (is_permitted(capability)) continue;
        const std::unique_ptr<char, int (*)(void*)> text(cap_to_name(capability), cap_free);
        std::string upper = text == nullptr ? std::to_string(capability) : text.get();
        std::transform(upper.begin(), upper.end(), upper.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        lacking.push_back(std::move(upper));
    }
    return lacking;
}

bool maps_need_no_capability(int map) {
    // A thread without the capability tries it.
    bool is_allowed = false;
    std::thread([&is_allowed, map] {
        keep_only_capabilities({});
        std::array<char, 4096> key{}, next{};  // larger than our keys
        bpf_attr facts{};
        facts.map_fd = static_cast<std::uint32_t>(map);
        facts.key = reinterpret_cast<std::uintptr_t>(key.data());
        facts.next_key = reinterpret_cast<std::uintptr_t>(next.data());
        is_allowed =
            ::syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &facts, sizeof facts) == 0 || errno == ENOENT;
    }).join();
    return is_allowed;
}

Result<void> drop_rights(const std::string& user, const std::vector<std::string>& handed,
                         const KeptCapabilities& kept, const std::vector<gid_t>& groups) {
    if (user.empty() || user == "root") return {};
    errno = 0;
    const passwd* const entry = ::getpwnam(user.c_str());
    if (entry == nullptr && errno != 0 && errno != ENOENT) return failed("looking up user " + user);
    if (entry == nullptr)
        return Error{"there is no user '" + user + "': create it, or name another as control.user"};
    const uid_t uid = entry->pw_uid;
    const gid_t gid = entry->pw_gid;
    for (const auto& path : handed) {
        if (path.empty() || hand_over(path, uid, gid)) continue;
        if (errno == EROFS) continue;  // the writer reports it; queries are answered
        return failed("chown of " + path, "CAP_CHOWN");
    }
    if (Starter* const starter = starter_in_use();
        starter != nullptr && starter->is_alive() && !starter->become(uid, gid))
        return failed("becoming user " + user, "CAP_SETUID and CAP_SETGID");
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return failed("keeping capabilities");
    if (::setgroups(groups.size(), groups.data()) != 0)
        return failed("giving up groups", "CAP_SETGID");
    if (::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0) {
        return failed("becoming user " + user, "CAP_SETUID and CAP_SETGID");
    }
    return keep_capabilities(kept);
}

}  // namespace steer
