#include "control/host/process/call_filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "control/host/process/system_calls.h"

namespace steer {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name the AUDIT_ARCH_... of this CPU"
#endif
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "low words of arguments come first");

constexpr std::uint32_t kNoSuchCall = SECCOMP_RET_ERRNO | ENOSYS;

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
// They name this thread, set its timers, or read its state.
constexpr std::array<std::uint32_t, 9> kOperationsOfPrctl{
    PR_SET_NAME,     PR_GET_NAME,     PR_SET_TIMERSLACK,   PR_SET_VMA,    PR_SET_PDEATHSIG,
    PR_CAPBSET_READ, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP};
// They use maps and links that are open. None loads a program.
constexpr std::array<std::uint32_t, 9> kOperationsOfBpf{
    BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,   BPF_MAP_DELETE_ELEM,
    BPF_MAP_GET_NEXT_KEY, BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD,
    BPF_LINK_CREATE,      BPF_PROG_QUERY,        BPF_LINK_GET_FD_BY_ID};

// They answer a denied call, and may let it pass: only call_filters.cpp does this. The last two put
// input into the terminal that the daemon was started from.
constexpr std::array<std::uint32_t, 6> kDeniedByIoctl{
    static_cast<std::uint32_t>(SECCOMP_IOCTL_NOTIF_RECV),
    static_cast<std::uint32_t>(SECCOMP_IOCTL_NOTIF_SEND),
    static_cast<std::uint32_t>(SECCOMP_IOCTL_NOTIF_ID_VALID),
    static_cast<std::uint32_t>(SECCOMP_IOCTL_NOTIF_ADDFD),
    TIOCSTI,
    TIOCLINUX};

constexpr std::array<std::uint32_t, 1> kOwnLimits{0};  // of the caller, no other process

class FilterWriter {
  public:
    explicit FilterWriter(std::uint32_t denied) : denied_(denied) {}

    void begin() {
        load(offsetof(seccomp_data, arch));
        jump(BPF_JEQ, kArchitecture, 1, 0);
        end(denied_);
        load(offsetof(seccomp_data, nr));
        jump(BPF_JGT, static_cast<std::uint32_t>(last_known_call()), 0, 1);
        end(kNoSuchCall);
    }
    void finish() { end(denied_); }

    void allow(std::string_view call) { end_for(call, SECCOMP_RET_ALLOW); }
    void hide(std::string_view call) { end_for(call, kNoSuchCall); }
    void end_for(std::string_view call, std::uint32_t value) {
        const int number = number_of_call(call);
        if (number < 0) return;
        jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1);
        end(value);
    }

    // Only if the argument is one of these.
    void allow_values(std::string_view call, unsigned argument,
                      std::span<const std::uint32_t> values) {
        const std::size_t body = 2 * values.size() + 2;
        if (!begin_block(call, argument, body)) return;
        for (const std::uint32_t value : values) {
            jump(BPF_JEQ, value, 0, 1);
            end(SECCOMP_RET_ALLOW);
        }
        end(denied_);
    }
    // Only if the argument is none of these.
    void allow_other_values(std::string_view call, unsigned argument,
                            std::span<const std::uint32_t> values) {
        if (!begin_block(call, argument, 2 * values.size() + 2)) return;
        for (const std::uint32_t value : values) {
            jump(BPF_JEQ, value, 0, 1);
            end(denied_);
        }
        end(SECCOMP_RET_ALLOW);
    }
    // Only if the argument has none of these bits.
    void allow_without(std::string_view call, unsigned argument, std::uint32_t bits) {
        if (!begin_block(call, argument, 4)) return;
        jump(BPF_JSET, bits, 0, 1);
        end(denied_);
        end(SECCOMP_RET_ALLOW);
    }
    // Only if the argument has all of these bits; `all` false: only if one is missing.
    void allow_with(std::string_view call, unsigned argument, std::uint32_t bits, bool all) {
        if (!begin_block(call, argument, 5)) return;
        program_.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits));
        jump(BPF_JEQ, bits, 0, 1);
        end(all ? SECCOMP_RET_ALLOW : denied_);
        end(all ? denied_ : SECCOMP_RET_ALLOW);
    }

    // The pending error of a socket, and no other option.
    void allow_socket_error() {
        end_for_option("getsockopt", SO_ERROR, SECCOMP_RET_ALLOW, denied_);
    }

    // SO_REUSEADDR is not set, and the caller does not learn it.
    void ignore_reuse() {
        constexpr std::uint32_t kSucceeds = SECCOMP_RET_ERRNO;  // with 0
        end_for_option("setsockopt", SO_REUSEADDR, kSucceeds, SECCOMP_RET_ALLOW);
    }

    // Of these families and the usual protocols: of netlink, links and addresses alone.
    void allow_usual_sockets(std::span<const std::uint32_t> families) {
        constexpr unsigned kProtocol = 2;
        constexpr std::array<std::uint32_t, 3> kUsual{0, IPPROTO_TCP, IPPROTO_UDP};
        static_assert(NETLINK_ROUTE == 0);
        for (const std::uint32_t family : families) {
            const std::size_t protocols = family == AF_NETLINK ? 1 : kUsual.size();
            if (!begin_block("socket", 0, 2 * protocols + 5)) return;
            jump(BPF_JEQ, family, 0, static_cast<std::uint8_t>(2 * protocols + 2));
            load(offsetof(seccomp_data, args) + kProtocol * sizeof(std::uint64_t));
            for (std::size_t i = 0; i < protocols; ++i) {
                jump(BPF_JEQ, kUsual[i], 0, 1);
                end(SECCOMP_RET_ALLOW);
            }
            end(denied_);
            load(offsetof(seccomp_data, nr));  // for what follows
        }
    }

    std::vector<sock_filter> take() { return std::move(program_); }

  private:
    void load(std::size_t offset) {
        program_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
    }
    void jump(unsigned test, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
        program_.push_back(
            {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), if_true, if_false, value});
    }
    void end(std::uint32_t value) { program_.push_back(BPF_STMT(BPF_RET | BPF_K, value)); }
    // For this option of SOL_SOCKET, and for all other options.
    void end_for_option(std::string_view call, std::uint32_t option, std::uint32_t value,
                        std::uint32_t others) {
        constexpr unsigned kLevel = 1, kOption = 2;
        if (!begin_block(call, kLevel, 6)) return;
        jump(BPF_JEQ, SOL_SOCKET, 0, 3);
        load(offsetof(seccomp_data, args) + kOption * sizeof(std::uint64_t));
        jump(BPF_JEQ, option, 0, 1);
        end(value);
        end(others);
    }
    // Jumps over the block's `size` instructions if it is another call. Loads the low word of the
    // argument. False: this CPU has no such call.
    bool begin_block(std::string_view call, unsigned argument, std::size_t size) {
        const int number = number_of_call(call);
        if (number < 0) return false;
        jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, static_cast<std::uint8_t>(size));
        load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
        return true;
    }

    const std::uint32_t denied_;
    std::vector<sock_filter> program_;
};

void allow_group(FilterWriter& writer, std::span<const std::string_view> names,
                 const CallRules& rules) {
    for (const std::string_view name : names) {
        if (name == "bpf") {
            writer.allow_values(name, 0, kOperationsOfBpf);
        } else if (name == "prlimit64") {
            writer.allow_values(name, 0, kOwnLimits);
        } else if (name == "ioctl" && !rules.requests.empty()) {
            writer.allow_values(name, 1, rules.requests);
        } else if (name == "ioctl" && !rules.answers_calls) {
            writer.allow_other_values(name, 1, kDeniedByIoctl);
        } else {
            writer.allow(name);
        }
    }
}

void allow_memory(FilterWriter& writer, bool maps_code) {
    constexpr unsigned kProtection = 2;
    if (maps_code) {
        writer.allow_with("mmap", kProtection, PROT_WRITE | PROT_EXEC, false);
    } else {
        writer.allow_without("mmap", kProtection, PROT_EXEC);
    }
    writer.allow_without("mprotect", kProtection, PROT_EXEC);
    writer.allow_without("pkey_mprotect", kProtection, PROT_EXEC);
}

void allow_files(FilterWriter& writer, CallRules::Files files) {
    constexpr unsigned kFlags = 2;
    if (files == CallRules::Files::all) writer.allow("openat");
    if (files == CallRules::Files::reading)
        writer.allow_without("openat", kFlags, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
}

}  // namespace

std::vector<sock_filter> filter_program(const CallRules& rules, std::uint32_t denied,
                                        std::uint32_t executes) {
    FilterWriter writer(denied);
    writer.begin();
    if (rules.keeps_ports) writer.ignore_reuse();  // before the groups, which allow the call
    for (const auto group : rules.calls)
        allow_group(writer, group, rules);
    if (rules.reads_socket_errors) writer.allow_socket_error();
    allow_memory(writer, rules.maps_code);
    allow_files(writer, rules.files);
    if (!rules.families.empty()) {
        const std::vector<std::uint32_t> families(rules.families.begin(), rules.families.end());
        if (rules.usual_sockets) {
            writer.allow_usual_sockets(families);
        } else {
            writer.allow_values("socket", 0, families);
        }
    }
    if (rules.executes_once) {
        writer.end_for("execve", executes);
        writer.end_for("execveat", executes);
    }
    if (rules.starts_threads) writer.allow_with("clone", 0, CLONE_THREAD, true);
    writer.hide("clone3");
    // A signal to a thread of this process, as in abort().
    const auto own = static_cast<std::uint32_t>(::getpid());
    writer.allow_values("tgkill", 0, {&own, 1});
    writer.allow_values("prctl", 0, kOperationsOfPrctl);
    writer.finish();
    return writer.take();
}

long install_filter(const std::vector<sock_filter>& program, unsigned flags) {
    const sock_fprog all{static_cast<unsigned short>(program.size()),
                         const_cast<sock_filter*>(program.data())};
    // SPEC_ALLOW: this code trusts its own threads, so they need no slower memory accesses.
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                     &all);
}

}  // namespace steer
