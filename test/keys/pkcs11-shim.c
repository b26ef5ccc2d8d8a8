/* A PKCS#11 module that passes everything on to another one (SHIM_MODULE) and misbehaves as the file SHIM_ORDERS says, read
 * anew at each call: one word a line. What real tokens do to us, at the moment a test wants it. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pkcs11/pkcs11.h>

static CK_FUNCTION_LIST ours;
static CK_FUNCTION_LIST_PTR theirs;

static int ordered(const char *word) {
  char line[64];
  const char *path = getenv("SHIM_ORDERS");
  FILE *file = path == NULL ? NULL : fopen(path, "r");
  int found = 0;
  if (file == NULL) return 0;
  while (!found && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = 0;
    found = strcmp(line, word) == 0;
  }
  fclose(file);
  return found;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR signature, CK_ULONG_PTR signed_length) {
  if (ordered("hang")) sleep(60);
  if (ordered("crash")) abort();
  if (ordered("device-removed")) return CKR_DEVICE_REMOVED;
  if (ordered("session-lost")) {
    /* As a reader that was reset: what was open is gone, the token is there. */
    theirs->C_CloseSession(session);
    return CKR_SESSION_HANDLE_INVALID;
  }
  if (ordered("not-for-signing")) return CKR_KEY_FUNCTION_NOT_PERMITTED;
  if (ordered("vendor-error")) return CKR_VENDOR_DEFINED + 17;
  CK_RV rv = theirs->C_Sign(session, data, length, signature, signed_length);
  if (rv == CKR_OK && signature != NULL && ordered("bad-signature")) signature[5] ^= 1;
  if (rv == CKR_OK && signature != NULL && ordered("short-signature")) *signed_length -= 1;
  return rv;
}

static CK_RV mechanisms(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count) {
  CK_RV rv = theirs->C_GetMechanismList(slot, list, count);
  if (rv == CKR_OK && list != NULL && ordered("no-ecdsa"))
    for (CK_ULONG i = 0; i < *count; i++) if (list[i] == CKM_ECDSA) list[i] = CKM_SHA_1;
  return rv;
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  CK_RV rv = theirs->C_GetTokenInfo(slot, info);
  if (rv != CKR_OK) return rv;
  if (ordered("final-try")) info->flags |= CKF_USER_PIN_FINAL_TRY;
  if (ordered("locked")) info->flags |= CKF_USER_PIN_LOCKED;
  if (ordered("pin-pad")) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
  if (ordered("strange-label")) memcpy(info->label, "\x1b[31mred\x07                        ", 32);
  return rv;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length) {
  const char *path = getenv("SHIM_LOGINS");
  FILE *file = path == NULL ? NULL : fopen(path, "a");
  if (file != NULL) {
    fputs(user == CKU_CONTEXT_SPECIFIC ? "for-one\n" : "login\n", file);
    fclose(file);
  }
  if (ordered("reader-cancelled")) return CKR_FUNCTION_CANCELED;
  if (user == CKU_CONTEXT_SPECIFIC && ordered("changed-pin")) return CKR_PIN_INCORRECT;
  if (ordered("pin-pad")) {
    /* A reader with keys: it takes no PIN from the program, and the person types the right one. */
    char *typed = getenv("SHIM_PIN");
    if (length != 0) return CKR_ARGUMENTS_BAD;
    return theirs->C_Login(session, user, (CK_UTF8CHAR_PTR)typed, strlen(typed));
  }
  return theirs->C_Login(session, user, pin, length);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  void *module = dlopen(getenv("SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
  CK_C_GetFunctionList get = module == NULL ? NULL : (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
  if (get == NULL || get(&theirs) != CKR_OK) return CKR_GENERAL_ERROR;
  ours = *theirs;
  ours.C_Sign = sign;
  ours.C_GetMechanismList = mechanisms;
  ours.C_GetTokenInfo = token_info;
  ours.C_Login = login;
  *list = &ours;
  return CKR_OK;
}
